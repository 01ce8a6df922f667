import anyTest from 'ava';
import type { TestFn } from 'ava';
import { persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts';
import { volumeSnapshotClasses, volumeSnapshots } from '../../../csi/snapshots/resources.ts';
import { ofClaim, startSnapshotCluster } from './snapshot-cluster.ts';
import type { SnapshotCluster } from './snapshot-cluster.ts';

const test = anyTest as TestFn<SnapshotCluster>;

test.before(async (t) => {
  t.context = await startSnapshotCluster();
  await t.context.createClass({ name: 'plain' });
});
test.after.always((t) => t.context.stop());

test.serial('without a default class the snapshot waits for one', async (t) => {
  const { client, boundClaim, createSnapshot, createClass, whenFailed } = t.context;
  await boundClaim('classless');
  await createSnapshot('classless', ofClaim('classless'));
  const message = 'Failed to set default snapshot class with error cannot find default snapshot class';
  const { status } = await whenFailed('classless', message);
  t.regex(status?.error?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.is(status?.readyToUse, undefined, 'its readiness is not known');
  t.deepEqual(await t.context.whenTold('classless', 'SetDefaultSnapshotClassFailed'), [
    `SetDefaultSnapshotClassFailed: ${message}`,
  ]);
  await createClass({ name: 'first', isDefault: true });
  const ready = await t.context.whenReady('classless');
  t.is(ready.spec.volumeSnapshotClassName, 'first');
  t.is(ready.status?.error, undefined);
  await client.resource(volumeSnapshotClasses).delete({ name: 'first' });
});

test.serial('several default classes of one driver are an error', async (t) => {
  const { client, boundClaim, createSnapshot, createClass, whenFailed } = t.context;
  await createClass({ name: 'first', isDefault: true });
  await createClass({ name: 'second', isDefault: true });
  await boundClaim('torn');
  await createSnapshot('torn', ofClaim('torn'));
  await whenFailed(
    'torn',
    'Failed to set default snapshot class with error 2 default snapshot classes were found',
  );
  await client.resource(volumeSnapshotClasses).delete({ name: 'first' });
  const { spec } = await t.context.whenReady('torn');
  t.is(spec.volumeSnapshotClassName, 'second');
  await client.resource(volumeSnapshotClasses).delete({ name: 'second' });
});

test('a class that is not there is named, and waited for', async (t) => {
  const { boundClaim, createSnapshot, createClass, whenFailed } = t.context;
  await boundClaim('early');
  await createSnapshot('early', ofClaim('early', 'late'));
  await whenFailed(
    'early',
    'Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io "late" not found',
  );
  await createClass({ name: 'late' });
  await t.context.whenReady('early');
  t.pass();
});

test('a snapshot whose class never came can be deleted', async (t) => {
  const { boundClaim, createSnapshot, whenFailed } = t.context;
  await boundClaim('never');
  await createSnapshot('never', ofClaim('never', 'never'));
  await whenFailed('never', /"never" not found$/);
  await t.context.deleteSnapshot('never');
  await t.context.whenGone(volumeSnapshots, 'never', 'default');
  t.pass();
});

test('a claim that is not there is told', async (t) => {
  const { boundClaim, createSnapshot, whenFailed } = t.context;
  await createSnapshot('sourceless', ofClaim('not-yet', 'plain'));
  const { status } = await whenFailed(
    'sourceless',
    'Failed to create snapshot content with error snapshot controller failed to update sourceless on API server: cannot get claim from snapshot',
  );
  t.is(status?.readyToUse, false);
  t.true(
    (await t.context.whenTold('sourceless', 'SnapshotContentCreationFailed')).every((text) =>
      text.startsWith('SnapshotContentCreationFailed: Failed to create snapshot content with error '),
    ),
  );
  await boundClaim('not-yet');
  await t.context.whenReady('sourceless');
});

test('an unbound claim is waited for', async (t) => {
  const { client, boundClaim, createSnapshot, whenFailed } = t.context;
  await boundClaim('unbound', { phase: 'Pending' });
  await createSnapshot('unbound', ofClaim('unbound', 'plain'));
  await whenFailed(
    'unbound',
    'Failed to create snapshot content with error failed to get input parameters to create snapshot unbound: "the PVC unbound is not yet bound to a PV, will not attempt to take a snapshot"',
  );
  await client.resource(persistentVolumeClaims).patch({
    name: 'unbound',
    namespace: 'default',
    subresource: 'status',
    type: 'merge',
    patch: { status: { phase: 'Bound' } },
  });
  await t.context.whenReady('unbound');
  t.pass();
});

test('a claim whose volume is another claim’s is refused', async (t) => {
  const { client, boundClaim, createSnapshot, whenFailed } = t.context;
  await boundClaim('robbed');
  await client.resource(persistentVolumes).patch({
    name: 'pv-robbed',
    type: 'merge',
    patch: { spec: { claimRef: { name: 'thief', uid: '2f1b6a3e-0000-4000-8000-000000000000' } } },
  });
  await createSnapshot('robbed', ofClaim('robbed', 'plain'));
  await whenFailed('robbed', /"claim in dataSource not bound or invalid"$/);
  t.pass();
});

test('only volumes of CSI drivers can be snapshotted', async (t) => {
  const { client, createSnapshot, whenFailed } = t.context;
  const claim = await client.resource(persistentVolumeClaims).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'on-host', namespace: 'default' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: '',
        volumeName: 'pv-on-host',
      },
    },
  });
  await client.resource(persistentVolumes).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv-on-host' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/tmp' },
        claimRef: { name: 'on-host', namespace: 'default', uid: claim.metadata?.uid ?? '' },
      },
    },
  });
  const status = { phase: 'Bound' };
  const name = { name: 'on-host', namespace: 'default' };
  await client
    .resource(persistentVolumeClaims)
    .patch({ ...name, subresource: 'status', type: 'merge', patch: { status } });
  await createSnapshot('on-host', ofClaim('on-host', 'plain'));
  await whenFailed(
    'on-host',
    'Failed to create snapshot content with error cannot find CSI PersistentVolumeSource for volume pv-on-host',
  );
  await createSnapshot('on-host-default', ofClaim('on-host'));
  await whenFailed(
    'on-host-default',
    'Failed to set default snapshot class with error snapshotting non-CSI volumes is not supported, snapshot:default/on-host-default',
  );
  t.pass();
});

test('a secret that can not be named is told', async (t) => {
  const { boundClaim, createSnapshot, createClass, whenFailed } = t.context;
  const prefix = 'csi.storage.k8s.io/snapshotter-secret';
  await createClass({
    name: 'riddle',
    parameters: { [`${prefix}-name`]: 'key', [`${prefix}-namespace`]: '${volumesnapshot.name}' },
  });
  await boundClaim('riddle');
  await createSnapshot('riddle', ofClaim('riddle', 'riddle'));
  await whenFailed(
    'riddle',
    String.raw`Failed to create snapshot content with error failed to get input parameters to create snapshot riddle: "error resolving value \"${'${volumesnapshot.name}'}\": invalid tokens: [\"volumesnapshot.name\"]"`,
  );
  t.pass();
});
