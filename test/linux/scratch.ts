import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { unmountBelow } from '../../linux/mount-info.ts';
import { expectNothingLeft } from '../environment.ts';

/** A fresh directory for one test; what is mounted in it is unmounted, and nothing of it may be left at the end. */
export function scratch(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'kk-'));
  t.teardown(async () => {
    unmountBelow(directory, { lazy: true });
    rmSync(directory, { recursive: true, force: true });
    await expectNothingLeft(directory, ['mounts', 'loopDevices']);
  });
  return directory;
}
