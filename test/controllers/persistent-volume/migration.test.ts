import test from 'ava';
import { claimAnnotations, deletionFinalizers } from '../../../controllers/persistent-volume/migration.ts';

const provisionedBy = 'pv.kubernetes.io/provisioned-by';
const migratedTo = 'pv.kubernetes.io/migrated-to';
const inTree = 'kubernetes.io/pv-controller';
const external = 'external-provisioner.volume.kubernetes.io/finalizer';

const finalizersOf = (
  provisioner: string | undefined,
  { finalizers, policy = 'Delete' }: { finalizers?: string[]; policy?: string } = {},
) =>
  deletionFinalizers({
    metadata: {
      ...(provisioner === undefined ? {} : { annotations: { [provisionedBy]: provisioner } }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec: { persistentVolumeReclaimPolicy: policy },
  });

test('volumes of an in-tree provisioner under Delete have its finalizer, and not the external one', (t) => {
  const provisioner = 'kubernetes.io/host-path';
  t.deepEqual(finalizersOf(provisioner), [inTree]);
  const has = [inTree];
  t.is(finalizersOf(provisioner, { finalizers: has }), has, 'nothing to write');
  t.deepEqual(finalizersOf(provisioner, { finalizers: ['custom', external] }), ['custom', inTree]);
});

test('under Retain and Recycle they have not', (t) => {
  for (const policy of ['Retain', 'Recycle']) {
    t.is(finalizersOf('kubernetes.io/host-path', { policy }), undefined);
    t.deepEqual(finalizersOf('kubernetes.io/host-path', { policy, finalizers: [inTree] }), []);
  }
});

test('migrated volumes lose the in-tree finalizer and keep the external one', (t) => {
  t.deepEqual(finalizersOf('kubernetes.io/gce-pd', { finalizers: [inTree, external] }), [external]);
  const has = [external, 'custom'];
  t.is(finalizersOf('kubernetes.io/gce-pd', { finalizers: has }), has);
});

test('volumes that were not provisioned, or by others, are left alone', (t) => {
  const has = [inTree, external];
  t.is(finalizersOf(undefined, { finalizers: has }), has);
  t.is(finalizersOf('disks.example.com', { finalizers: has }), has);
  t.is(finalizersOf(undefined), undefined);
});

test('migrated-to follows the provisioner, by either annotation, and goes when it is no longer migrated', (t) => {
  const key = 'volume.kubernetes.io/storage-provisioner';
  const beta = 'volume.beta.kubernetes.io/storage-provisioner';
  const driver = 'ebs.csi.aws.com';
  for (const name of [key, beta])
    t.deepEqual(claimAnnotations({ [name]: 'kubernetes.io/aws-ebs' }), {
      [name]: 'kubernetes.io/aws-ebs',
      [migratedTo]: driver,
    });
  const right = { [key]: 'kubernetes.io/aws-ebs', [migratedTo]: driver };
  t.is(claimAnnotations(right), right, 'nothing to write');
  t.deepEqual(claimAnnotations({ [key]: 'disks.example.com', [migratedTo]: driver }), {
    [key]: 'disks.example.com',
  });
  const other = { [key]: 'disks.example.com', note: 'kept' };
  t.is(claimAnnotations(other), other);
  t.is(claimAnnotations(undefined), undefined);
});
