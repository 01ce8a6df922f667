import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A folder that goes with the test. */
export function temporaryFolder(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'aa-store-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
