import { CommandError } from '../../linux/command.ts';
import { isMountPoint } from '../../linux/mount-info.ts';
import { fileSystemStats } from './file-system-stats.ts';
import { isServed } from './server-answers.ts';

/**
 * What the kernel says of a path. `dead`: something is mounted there, but the process that serves it has ended (ENOTCONN, FUSE) or its
 * server has something else there now (ESTALE, NFS), so that it must be mounted anew. A server that doesn't answer may come back.
 */
export const mountStateOf = async (path: string): Promise<'mounted' | 'dead' | 'not mounted'> => {
  // This asks for no attributes and so never waits for a server; nor does it see that there is none any more.
  if (!isMountPoint(path)) return 'not mounted';
  return (await isDead(path)) ? 'dead' : 'mounted';
};

const isDead = async (path: string): Promise<boolean> => {
  if (!isServed(path)) return false;
  try {
    await fileSystemStats(path);
    return false;
  } catch (error) {
    const isFinal = /transport endpoint is not connected|stale (nfs )?file handle/i;
    return error instanceof CommandError && isFinal.test(error.stderr);
  }
};
