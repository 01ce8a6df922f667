import { writeAtomically } from './atomic-writer.ts';
import { makeNestedMountPoints } from './nested-mount-points.ts';
import { applyFsGroup, fsGroupOf } from './ownership.ts';
import type { Payload } from './payload.ts';
import type { SetUpOptions } from './plugin.ts';
import { memorySizeOf } from './empty-dir.ts';
import { isTmpfs, mountTmpfs } from './tmpfs.ts';
import { makeVolumeDirectory } from './volume-directory.ts';

/**
 * Brings the files of a configMap, secret, downwardAPI or projected volume up to the payload, and makes the volume first if
 * need be: a tmpfs, so that no byte of a Secret reaches a disk. The new versions of the files are made in it too.
 *
 * Upstream keeps ConfigMaps on the disk. Here they are in memory as well: directories and files are ten times as quick to
 * make there, and don't wait while the disk's journal is busy with the very write that changed the ConfigMap.
 */
export const writeVolume = (options: SetUpOptions, payload: Payload): void => {
  const { directory, volume, pod } = options;
  makeVolumeDirectory(directory);
  if (!isTmpfs(directory)) mountTmpfs({ directory, sizeBytes: memorySizeOf(options) });
  makeNestedMountPoints(directory, volume.name, pod);
  const fsGroup = fsGroupOf(pod);
  writeAtomically({
    directory,
    payload,
    setPermissions: () => applyFsGroup({ directory, fsGroup, readOnly: true }),
    later: (work) => options.services.later(work),
  });
};
