import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sealProgram } from '../../linux/sealed-program.ts';

const directory = (): string =>
  process.env['PODWRIGHT_NATIVE_DIR'] ?? join(import.meta.dirname, '..', '..', 'build', 'native');

/** The path of pause. Throws when it has not been built. */
export function pauseProgram(): string {
  return built('pause');
}

let sealed: string | undefined;

/** A path that starts podwright-shim, for as long as this process lives. Throws when it has not been built. */
export function shimProgram(): string {
  return (sealed ??= sealProgram(built('podwright-shim')));
}

function built(name: string): string {
  const path = join(directory(), name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run scripts/setup, which builds it`);
  return path;
}
