import { status } from '@grpc/grpc-js';
import test from 'ava';
import { CsiError, isFinalError } from '../../../../csi/error.ts';
import type { CodeName } from '../../../../csi/error.ts';
import { contentStatusOf } from '../../../../csi/sidecars/snapshotter/content-status.ts';
import { deservesSync } from '../../../../csi/sidecars/snapshotter/deserves-sync.ts';
import { driverParameters } from '../../../../csi/sidecars/snapshotter/parameters.ts';
import { createPolls } from '../../../../csi/sidecars/snapshotter/polls.ts';
import { annotations, finalizers } from '../../../../csi/snapshots/names.ts';

test('after these codes a snapshot may still be in the making, after all others it is not', (t) => {
  const codes = Object.keys(status).filter((name) => Number.isNaN(Number(name))) as CodeName[];
  const unsure = codes.filter((code) => !isFinalError(new CsiError(code, 'x')));
  t.deepEqual(unsure.toSorted(), [
    'ABORTED',
    'CANCELLED',
    'DEADLINE_EXCEEDED',
    'RESOURCE_EXHAUSTED',
    'UNAVAILABLE',
  ]);
  t.false(isFinalError(new Error('no answer of the driver’s')));
});

test('the driver gets the parameters that are its own', (t) => {
  t.deepEqual(
    driverParameters({
      speed: 'fast',
      'csi.storage.k8s.io/snapshotter-secret-name': 'a',
      'csi.storage.k8s.io/snapshotter-secret-namespace': 'b',
      'csi.storage.k8s.io/snapshotter-list-secret-name': 'c',
      'csi.storage.k8s.io/group-snapshotter-get-secret-namespace': 'd',
    }),
    { speed: 'fast' },
  );
  t.throws(() => driverParameters({ 'csi.storage.k8s.io/fstype': 'ext4' }), {
    message:
      'failed to remove CSI Parameters of prefixed keys: found unknown parameter key "csi.storage.k8s.io/fstype" with reserved namespace csi.storage.k8s.io/',
  });
});

const observed = { snapshotId: 'id', sizeBytes: 5, readyToUse: true, groupSnapshotId: '', creationTime: 7 };

test('a content learns what the driver says, keeps what it knew, and forgets its error when it gets ready', (t) => {
  const known = { snapshotHandle: 'id', creationTime: 7, restoreSize: 5, readyToUse: true };
  t.deepEqual(contentStatusOf(undefined, observed), known);
  t.deepEqual(contentStatusOf({ readyToUse: false, error: { message: 'm' } }, observed), known);
  t.deepEqual(contentStatusOf({ creationTime: 1, restoreSize: 2 }, observed), {
    ...known,
    creationTime: 1,
    restoreSize: 2,
  });
  t.deepEqual(
    contentStatusOf(
      { error: { message: 'm' } },
      { ...observed, sizeBytes: 0, readyToUse: false, groupSnapshotId: 'g' },
    ),
    {
      snapshotHandle: 'id',
      creationTime: 7,
      readyToUse: false,
      volumeGroupSnapshotHandle: 'g',
      error: { message: 'm' },
    },
  );
});

test('the sidecar’s own writes are no reason to call the driver again', (t) => {
  const before = { metadata: { name: 'c', resourceVersion: '1', annotations: { a: 'b' } }, spec: { x: 1 } };
  const { metadata } = before;
  const changed = (metadataChange: object, rest: object = {}) =>
    deservesSync(
      { ...before, metadata: { ...metadata, resourceVersion: '2', ...metadataChange }, ...rest },
      before,
    );
  t.false(changed({}));
  t.false(changed({ finalizers: [finalizers.contentBound] }));
  t.false(changed({ annotations: { a: 'b', [annotations.beingCreated]: 'yes' } }));
  t.false(changed({}, { status: { readyToUse: false } }));
  t.true(changed({}, { status: { readyToUse: true } }), 'it may have been deleted meanwhile');
  t.true(changed({ annotations: { a: 'b', [annotations.beingDeleted]: 'yes' } }));
  t.true(changed({ deletionTimestamp: '2026-01-01T00:00:00Z' }));
  t.true(changed({}, { spec: { x: 2 } }));
});

test('what takes long is asked for less and less often', (t) => {
  let now = 1000;
  const polls = createPolls({ clock: { now: () => now, after: () => () => undefined } });
  const gaps = Array.from({ length: 60 }, () => {
    const gap = polls.nextMs('c');
    now += gap;
    return Math.round(gap);
  });
  t.deepEqual(gaps.slice(0, 9), [20, 20, 20, 20, 20, 25, 31, 39, 49]);
  t.is(gaps.at(-1), 5000);
  polls.forget('c');
  t.is(polls.nextMs('c'), 20);
});
