import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { mount, unmount } from '../../../linux/mount.ts';

/**
 * A mount whose server never answers, as an NFS server that is gone: a FUSE file system whose requests nobody reads. Every call on it
 * waits until the process is killed or the test ends.
 */
export const mountDeadServer = (t: ExecutionContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'vv-dead-'));
  const server = openSync('/dev/fuse', 'r+');
  t.teardown(() => {
    // With its server a FUSE file system ends, and so does whatever waits for it.
    closeSync(server);
    unmount(directory, { lazy: true });
    rmdirSync(directory);
  });
  const data = `fd=${server},rootmode=40000,user_id=0,group_id=0`;
  mount({ source: 'dead', target: directory, type: 'fuse', data });
  return directory;
};
