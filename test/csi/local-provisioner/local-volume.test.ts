import test from 'ava';
import {
  isMadeOn,
  localVolume,
  roundedDown,
  volumeNameFor,
} from '../../../csi/local-provisioner/local-volume.ts';
import type { Node } from '../../../api/types.ts';

const uid = '6f0d3c1e-0b5a-4b87-9d2a-7f3c7c1d2e4f';
const node: Node = {
  metadata: { name: 'node-1', uid, labels: { 'kubernetes.io/hostname': 'host-1' } },
};
const storageClass = { metadata: { name: 'fast' }, provisioner: 'kubernetes.io/no-provisioner' };

test('the name is the same hash as upstream makes', (t) => {
  const nameOf = (fileName: string) => volumeNameFor({ fileName, nodeName: 'node-1', className: 'fast' });
  t.is(nameOf('disk-1'), 'local-pv-df246bea');
  t.is(nameOf('disk-17'), 'local-pv-bd540b73');
  t.is(volumeNameFor({ fileName: 'ä', nodeName: 'n', className: 'c' }), 'local-pv-eadb3f05');
});

test('sizes are rounded down to something readable', (t) => {
  const [MiB, GiB] = [2 ** 20, 2 ** 30];
  t.is(roundedDown(10 * GiB + 5), 10 * GiB);
  t.is(roundedDown(10 * GiB - 1), 10239 * MiB);
  t.is(roundedDown(10 * MiB + 4096), 10 * MiB);
  t.is(roundedDown(10 * MiB - 4096), 10 * MiB - 4096);
});

test('the volume of a disk, as upstream makes it', (t) => {
  const volume = localVolume({
    node,
    storageClass: { ...storageClass, reclaimPolicy: 'Retain', mountOptions: ['noatime'] },
    fileName: 'disk-1',
    path: '/disks/fast/disk-1',
    capacityBytes: 20 * 2 ** 30 + 1,
    fsType: 'xfs',
  });
  t.deepEqual(volume, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: 'local-pv-df246bea',
      annotations: { 'pv.kubernetes.io/provisioned-by': `local-volume-provisioner-node-1-${uid}` },
    },
    spec: {
      persistentVolumeReclaimPolicy: 'Retain',
      capacity: { storage: '20Gi' },
      local: { path: '/disks/fast/disk-1', fsType: 'xfs' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      volumeMode: 'Filesystem',
      mountOptions: ['noatime'],
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host-1'] }],
            },
          ],
        },
      },
    },
  });
  t.true(isMadeOn(volume, 'node-1'));
  t.false(isMadeOn(volume, 'node'), 'a node whose name is the beginning of another');
});

test('volumes of other nodes and provisioners are not ours', (t) => {
  const by = (provisioner: string) => ({
    metadata: { annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
  });
  t.false(isMadeOn(by('disks.example.com'), 'node-1'));
  t.false(isMadeOn(by(`local-volume-provisioner-node-1-x-${uid}`), 'node-1'));
  t.false(isMadeOn({ metadata: {} }, 'node-1'));
  const formerUid = uid.replaceAll('6', '7');
  t.true(
    isMadeOn(by(`local-volume-provisioner-node-1-${formerUid}`), 'node-1'),
    'of an earlier life of the node',
  );
});
