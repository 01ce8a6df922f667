import test from 'ava';
import { groupStatusOf } from '../../../csi/snapshots/groups/group-status.ts';
import { statusOf } from '../../../csi/snapshots/snapshot-status.ts';
import type {
  VolumeGroupSnapshotContent,
  VolumeSnapshotContent,
  VolumeSnapshotContentStatus,
  VolumeSnapshotStatus,
} from '../../../csi/snapshots/types.ts';
import { aSnapshot, ofClaim } from './snapshot-cluster.ts';

const after = (
  before: VolumeSnapshotStatus | undefined,
  status?: VolumeSnapshotContentStatus,
  group?: string,
) => {
  const snapshot = { ...aSnapshot('s', ofClaim('c')), ...(before === undefined ? {} : { status: before }) };
  const content: VolumeSnapshotContent = {
    metadata: { name: 'content' },
    spec: { deletionPolicy: 'Delete', driver: 'd', source: { volumeHandle: 'v' }, volumeSnapshotRef: {} },
    ...(status === undefined ? {} : { status }),
  };
  return statusOf(snapshot, content, group);
};

test('a snapshot whose content knows nothing yet is bound and not ready', (t) => {
  t.deepEqual(after(undefined), { boundVolumeSnapshotContentName: 'content', readyToUse: false });
});

test('what the content knows is taken over', (t) => {
  const error = { message: 'm', time: '2026-01-01T00:00:00Z' };
  const status = { creationTime: 1_700_000_000_987_654_400, restoreSize: 2 ** 20, readyToUse: true, error };
  t.deepEqual(after(undefined, status, 'group'), {
    boundVolumeSnapshotContentName: 'content',
    creationTime: '2023-11-14T22:13:20Z',
    readyToUse: true,
    restoreSize: '1Mi',
    error,
    volumeGroupSnapshotName: 'group',
  });
});

test('a name, a time and a size that are known stay; readiness and error follow', (t) => {
  const before = {
    boundVolumeSnapshotContentName: 'first',
    creationTime: '2020-01-01T00:00:00Z',
    restoreSize: '5Gi',
    readyToUse: true,
    error: { message: 'old' },
  };
  t.deepEqual(after(before, { creationTime: 1e18, restoreSize: 1, readyToUse: false }), {
    boundVolumeSnapshotContentName: 'first',
    creationTime: '2020-01-01T00:00:00Z',
    restoreSize: '5Gi',
    readyToUse: false,
  });
});

test('a size of zero is no size', (t) => {
  t.is(after({ restoreSize: '0' }, { restoreSize: 2 ** 30 }).restoreSize, '1Gi');
});

test('a group’s status follows its content in the same way', (t) => {
  const content: VolumeGroupSnapshotContent = {
    metadata: { name: 'content' },
    spec: {
      deletionPolicy: 'Delete',
      driver: 'd',
      source: { volumeHandles: ['v'] },
      volumeGroupSnapshotRef: {},
    },
    status: { creationTime: '2026-01-01T00:00:00Z', readyToUse: true },
  };
  const group = { spec: { source: { selector: {} } }, status: { error: { message: 'old' } } };
  t.deepEqual(groupStatusOf(group, content), {
    boundVolumeGroupSnapshotContentName: 'content',
    creationTime: '2026-01-01T00:00:00Z',
    readyToUse: true,
  });
});
