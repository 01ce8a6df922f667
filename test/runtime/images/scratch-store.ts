import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openImageStore } from '../../../runtime/images/index.ts';
import type { ImageStore } from '../../../runtime/images/index.ts';

/** An empty store and a directory for a test's files, gone with the test. */
export function scratchStore(t: ExecutionContext): { store: ImageStore; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'rr-images-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return { store: openImageStore({ dir: join(dir, 'store') }), dir };
}
