import { mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import type { NFSVolumeSource } from '../../api/types.ts';
import { CommandError, run } from '../../linux/command.ts';
import { isMountPoint } from '../../linux/mount-info.ts';
import { unmount } from '../../linux/mount.ts';
import { hasCode } from '../../linux/system-error.ts';
import { fileSystemStats } from './file-system-stats.ts';
import { mountStateOf } from './mount-state.ts';
import type { VolumePlugin } from './plugin.ts';
import { isMountedThisBoot, setMountedThisBoot } from './ready-file.ts';
import type { VolumeSpec } from './volume-spec.ts';

/** Directories of NFS servers, by the kernel's client and mount.nfs(8). The Pod's fsGroup is the server's business. Upstream: pkg/volume/nfs. */
export const nfsPlugin: VolumePlugin = {
  name: 'kubernetes.io/nfs',
  takesMountOptions: true,
  canSupport: (spec) => sourceOf(spec) !== undefined,
  requiresRemount: false,
  readOnly: false,

  async setUp({ spec, directory, metaDirectory, signal }) {
    if (await isMountedThisBoot(metaDirectory, directory)) return undefined;
    const { server = '', path = '' } = sourceOf(spec) ?? {};
    const readOnly = spec.readOnly || sourceOf(spec)?.readOnly === true;
    const options = [...(spec.persistentVolume?.spec?.mountOptions ?? []), ...(readOnly ? ['ro'] : [])];
    const state = await mountStateOf(directory);
    if (state === 'dead') unmount(directory, { lazy: true });
    if (state !== 'mounted') {
      mkdirSync(directory, { recursive: true, mode: 0o750 });
      try {
        await mountNfs({ source: `${server}:${path}`, directory, options, signal });
      } catch (error) {
        rmdirSync(directory);
        throw error;
      }
    }
    setMountedThisBoot(metaDirectory);
    return undefined;
  },

  async tearDown({ directory, metaDirectory }) {
    rmSync(metaDirectory, { recursive: true, force: true });
    if (isMountPoint(directory)) await unmountNfs(directory);
    try {
      rmdirSync(directory);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  },

  stats: (_, { directory }) => fileSystemStats(directory),
};

const sourceOf = ({ volume, persistentVolume }: VolumeSpec): NFSVolumeSource | undefined =>
  persistentVolume === undefined ? volume.nfs : persistentVolume.spec?.nfs;

interface NfsMount {
  source: string;
  directory: string;
  options: string[];
  signal: AbortSignal;
}

const mountTimeoutMs = 120_000;

const mountNfs = async ({ source, directory, options, signal }: NfsMount): Promise<void> => {
  if (!(await hasNfsClient())) {
    throw new Error(
      'this node has no NFS client: its kernel knows no file system nfs (/proc/filesystems) and has no module for it; ' +
        'run the Pod on a node whose kernel has CONFIG_NFS_FS, or use a CSI driver',
    );
  }
  const args = ['-t', 'nfs', ...(options.length > 0 ? ['-o', options.join(',')] : []), source, directory];
  try {
    await run('mount', args, { timeoutMs: mountTimeoutMs, signal });
  } catch (error) {
    throw mountFailed(error, args);
  }
};

/** Built in or loaded; else the module is asked for, as the kernel itself would. */
const hasNfsClient = async (): Promise<boolean> => {
  const isKnown = () => /\bnfs4?$/m.test(readFileSync('/proc/filesystems', 'utf8'));
  if (isKnown()) return true;
  try {
    await run('modprobe', ['nfs'], { timeoutMs: 10_000 });
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
  return isKnown();
};

/** As upstream's mount-utils tells it. */
const mountFailed = (error: unknown, args: string[]): Error => {
  if (!(error instanceof CommandError)) return error instanceof Error ? error : new Error(String(error));
  const output = error.stderr.trim();
  // What mount(8) says when there is no mount.nfs beside it.
  const remedy = output.includes('helper program') ? ' (install mount.nfs: the package nfs-common)' : '';
  const status = error.exitCode === undefined ? error.message : `exit status ${error.exitCode}`;
  return new Error(
    `mount failed: ${status}\nMounting command: mount\nMounting arguments: ${args.join(' ')}\nOutput: ${output}${remedy}\n`,
    { cause: error },
  );
};

/** A server that is gone must not keep the Pod: after a minute the mount is taken away without asking it. */
const unmountNfs = async (directory: string): Promise<void> => {
  try {
    await run('umount', [directory], { timeoutMs: 60_000 });
  } catch (error) {
    if (!(error instanceof CommandError) || !error.timedOut) throw error;
    await run('umount', ['-f', '-l', directory], { timeoutMs: 60_000 });
  }
};
