import { annotations } from '../../../snapshots/names.ts';
import type { VolumeGroupSnapshotContent } from '../../../snapshots/types.ts';
import { annotatedCredentials } from '../credentials.ts';
import type { Snapshotter } from '../snapshotter.ts';

/** The secret for creating and deleting a group snapshot. */
export const groupCredentials = (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
): Promise<Record<string, string>> =>
  annotatedCredentials(world, content, {
    what: 'group snapshot content',
    name: annotations.groupDeletionSecretName,
    namespace: annotations.groupDeletionSecretNamespace,
  });
