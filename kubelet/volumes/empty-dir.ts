import { rm } from 'node:fs/promises';
import type { EmptyDirVolumeSource, Pod } from '../../api/types.ts';
import { quote } from '../../api/go-format.ts';
import { applyFsGroup, fsGroupOf } from './ownership.ts';
import type { SetUpOptions, VolumePlace, VolumePlugin } from './plugin.ts';
import { isReady, setReady } from './ready-file.ts';
import { removeTree } from './remove-tree.ts';
import { bytesOf, memoryLimitOf } from './sizes.ts';
import { makeVolumeDirectory } from './volume-directory.ts';
import { isTmpfs, mountTmpfs, unmountVolume } from './tmpfs.ts';

/** A directory that lives as long as the Pod: on the node's disk, or in memory. */
export const emptyDirPlugin: VolumePlugin = {
  name: 'kubernetes.io/empty-dir',
  canSupport: ({ volume }) => volume.emptyDir !== undefined,
  requiresRemount: false,
  readOnly: false,

  async setUp(options) {
    const { volume, pod, directory, metaDirectory } = options;
    const medium = volume.emptyDir?.medium ?? '';
    if (medium !== '' && medium !== 'Memory') throw mediumError(medium, pod);
    const made = makeVolumeDirectory(directory);
    const mounted = medium === 'Memory' && isTmpfs(directory);
    if (isReady(metaDirectory) && (medium === '' ? !made : mounted)) return undefined;
    if (medium === 'Memory' && !mounted) mountTmpfs({ directory, sizeBytes: memorySizeOf(options) });
    applyFsGroup({ directory, fsGroup: fsGroupOf(pod), readOnly: false });
    setReady(metaDirectory);
    return undefined;
  },

  tearDown: tearDownDirectory,
};

/** Takes away a directory of the Pod's, unmounting it first when it is a mount. */
export async function tearDownDirectory({ directory, metaDirectory }: VolumePlace): Promise<void> {
  // First: a half-removed volume must not look ready after a crash.
  await rm(metaDirectory, { recursive: true, force: true });
  unmountVolume(directory);
  await removeTree(directory);
}

/** The smallest of sizeLimit, the Pod's memory limit and what the node has, in bytes (KEP-1967). */
export const memorySizeOf = ({ volume, pod, services }: SetUpOptions): number => {
  const limits = [
    bytesOf(services.nodeAllocatable()['memory']),
    memoryLimitOf(pod),
    bytesOf((volume.emptyDir satisfies EmptyDirVolumeSource | undefined)?.sizeLimit),
  ];
  const set = limits.filter((limit) => limit !== undefined && limit > 0) as number[];
  return set.length === 0 ? 0 : Math.min(...set);
};

const mediumError = (medium: string, { spec }: Pod): Error => {
  if (!medium.startsWith('HugePages')) return new Error(`unknown storage medium ${quote(medium)}`);
  const requests = (spec?.containers ?? []).flatMap(({ resources }) =>
    Object.keys(resources?.requests ?? {}),
  );
  const asked = requests.some((name) => name.startsWith('hugepages-'));
  return new Error(
    asked
      ? `medium ${medium}: hugePages storage is not supported on this node`
      : `medium ${medium}: hugePages storage requested, but there is no resource request for huge pages`,
  );
};
