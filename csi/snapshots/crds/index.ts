import type { CustomResourceDefinition } from '../../../api/types.ts';
import { volumeGroupSnapshotClassCrd } from './volume-group-snapshot-class.ts';
import { volumeGroupSnapshotContentCrd } from './volume-group-snapshot-content.ts';
import { volumeGroupSnapshotCrd } from './volume-group-snapshot.ts';
import { volumeSnapshotClassCrd } from './volume-snapshot-class.ts';
import { volumeSnapshotContentCrd } from './volume-snapshot-content.ts';
import { volumeSnapshotCrd } from './volume-snapshot.ts';

/**
 * The custom resources of snapshots: the same fields, rules, columns and names as those of external-snapshotter v8,
 * so that either set can be applied over the other.
 */
export const snapshotCrds: CustomResourceDefinition[] = [
  volumeSnapshotCrd,
  volumeSnapshotContentCrd,
  volumeSnapshotClassCrd,
  volumeGroupSnapshotCrd,
  volumeGroupSnapshotContentCrd,
  volumeGroupSnapshotClassCrd,
];
