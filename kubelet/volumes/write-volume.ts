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
 * need be. In `memory` no byte of it reaches a disk: the tmpfs is there before the first write, and the new
 * versions of the files are made in it too.
 */
export const writeVolume = (
  options: SetUpOptions,
  { payload, medium }: { payload: Payload; medium: 'disk' | 'memory' },
): void => {
  const { directory, volume, pod } = options;
  makeVolumeDirectory(directory);
  if (medium === 'memory' && !isTmpfs(directory)) {
    mountTmpfs({ directory, sizeBytes: memorySizeOf(options) });
  }
  makeNestedMountPoints(directory, volume.name, pod);
  const fsGroup = fsGroupOf(pod);
  writeAtomically({
    directory,
    payload,
    setPermissions: () => applyFsGroup({ directory, fsGroup, readOnly: true }),
    later: (work) => options.services.later(work),
  });
};
