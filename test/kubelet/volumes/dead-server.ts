import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { mount, unmount } from '../../../linux/mount.ts';

export interface DeadServer {
  path: string;
  /** The server ends for good: calls fail with ENOTCONN. */
  end(): void;
}

/**
 * A mount whose server never answers, as an NFS server that is gone: a FUSE file system whose requests nobody reads. Every call on it
 * waits until the process is killed or the server ends, as it does with the test.
 */
export const mountDeadServer = (t: ExecutionContext): DeadServer => {
  const directory = mkdtempSync(join(tmpdir(), 'vv-dead-'));
  const server = openSync('/dev/fuse', 'r+');
  let hasEnded = false;
  const end = () => {
    if (!hasEnded) closeSync(server);
    hasEnded = true;
  };
  t.teardown(() => {
    end();
    unmount(directory, { lazy: true });
    rmdirSync(directory);
  });
  const data = `fd=${server},rootmode=40000,user_id=0,group_id=0`;
  mount({ source: 'dead', target: directory, type: 'fuse', data });
  return { path: directory, end };
};
