import test from 'ava';
import type { PersistentVolume } from '../../../api/types.ts';
import {
  csiNameFor,
  inTreeNameFor,
  inTreePluginOfPv,
  inTreePluginOfVolume,
  isMigratedOnNode,
  migratedPlugins,
  migratedPluginsAnnotation,
  migratedPluginsValue,
  repairVolumeHandle,
  translateCsiPv,
  translateInTreePv,
  translateInTreeVolume,
  translateStorageClass,
  zoneKeyFor,
} from '../../../csi/translation/index.ts';

const zone = 'topology.kubernetes.io/zone';
const region = 'topology.kubernetes.io/region';
const oldZone = 'failure-domain.beta.kubernetes.io/zone';
const oldRegion = 'failure-domain.beta.kubernetes.io/region';

const aPv = ({
  labels = {},
  affinity,
  ...spec
}: {
  labels?: Record<string, string>;
  affinity?: Record<string, string[]>[];
} & Partial<NonNullable<PersistentVolume['spec']>>): PersistentVolume => ({
  metadata: { name: 'pv', labels },
  spec: {
    ...spec,
    ...(affinity === undefined ? {} : { nodeAffinity: affinityOf(affinity) }),
  },
});

const affinityOf = (terms: Record<string, string[]>[]) => ({
  required: {
    nodeSelectorTerms: terms.map((term) => ({
      matchExpressions: Object.entries(term).map(([key, values]) => ({ key, operator: 'In', values })),
    })),
  },
});

const aGcePv = (options: Parameters<typeof aPv>[0] = {}) =>
  aPv({ gcePersistentDisk: { pdName: 'disk-1' }, ...options });

test('names', (t) => {
  t.is(csiNameFor('kubernetes.io/gce-pd'), 'pd.csi.storage.gke.io');
  t.is(csiNameFor('kubernetes.io/aws-ebs'), 'ebs.csi.aws.com');
  t.is(csiNameFor('kubernetes.io/no-provisioner'), undefined);
  t.is(inTreeNameFor('ebs.csi.aws.com'), 'kubernetes.io/aws-ebs');
  t.is(inTreeNameFor('loop-disk.csi.podwright.io'), undefined);
  t.is(inTreePluginOfPv(aGcePv()), 'kubernetes.io/gce-pd');
  t.is(inTreePluginOfPv(aPv({ hostPath: { path: '/' } })), undefined);
  t.is(
    inTreePluginOfVolume({ name: 'a', awsElasticBlockStore: { volumeID: 'vol-1' } }),
    'kubernetes.io/aws-ebs',
  );
});

test('which plugins a node has given to drivers', (t) => {
  const value = migratedPluginsValue(migratedPlugins);
  t.is(value, 'kubernetes.io/aws-ebs,kubernetes.io/gce-pd');
  const csiNode = {
    metadata: { annotations: { [migratedPluginsAnnotation]: value } },
    spec: { drivers: [] },
  };
  t.true(isMigratedOnNode('kubernetes.io/gce-pd', csiNode));
  t.false(isMigratedOnNode('kubernetes.io/cinder', csiNode));
  t.false(isMigratedOnNode('kubernetes.io/gce-pd', { spec: { drivers: [] } }));
  t.false(isMigratedOnNode('kubernetes.io/gce-pd', undefined));
});

test('a GCE disk inline', (t) => {
  const volume = {
    name: 'data',
    gcePersistentDisk: { pdName: 'disk-1', fsType: 'xfs', readOnly: true, partition: 2 },
  };
  t.deepEqual(translateInTreeVolume(volume), {
    metadata: { name: 'pd.csi.storage.gke.io-disk-1' },
    spec: {
      csi: {
        driver: 'pd.csi.storage.gke.io',
        volumeHandle: 'projects/UNSPECIFIED/zones/UNSPECIFIED/disks/disk-1',
        fsType: 'xfs',
        readOnly: true,
        volumeAttributes: { partition: '2' },
      },
      accessModes: ['ReadOnlyMany'],
      volumeMode: 'Filesystem',
    },
  });
  t.is(volume.gcePersistentDisk.pdName, 'disk-1');
});

test('an EBS volume inline', (t) => {
  const volume = {
    name: 'data',
    awsElasticBlockStore: { volumeID: 'aws://us-east-1a/vol-1', fsType: 'ext4' },
  };
  t.deepEqual(translateInTreeVolume(volume), {
    metadata: { name: 'ebs.csi.aws.com-vol-1' },
    spec: {
      csi: {
        driver: 'ebs.csi.aws.com',
        volumeHandle: 'vol-1',
        fsType: 'ext4',
        volumeAttributes: { partition: '0' },
      },
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
    },
  });
  t.is(
    translateInTreeVolume({ name: 'a', awsElasticBlockStore: { volumeID: 'aws:///vol-2' } }).spec?.csi
      ?.volumeHandle,
    'vol-2',
  );
  t.throws(
    () => translateInTreeVolume({ name: 'a', awsElasticBlockStore: { volumeID: 'aws://zone/disk' } }),
    {
      message: /Invalid format for AWS volume \(aws:\/\/zone\/disk\)$/,
    },
  );
  t.throws(() => translateInTreeVolume({ name: 'a', emptyDir: {} }), {
    message: 'could not find in-tree plugin translation logic for "a"',
  });
});

test("a PV lands in the zone of its labels, under every node's own label", (t) => {
  for (const labels of [{ [zone]: 'b' }, { [oldZone]: 'b', [oldRegion]: 'a' }]) {
    const translated = translateInTreePv(aGcePv({ labels }));
    t.deepEqual(translated.spec?.nodeAffinity, affinityOf([{ [zone]: ['b'] }]));
    t.is(translated.spec?.csi?.volumeHandle, 'projects/UNSPECIFIED/zones/b/disks/disk-1');
    t.is(translated.spec?.gcePersistentDisk, undefined);
  }
  const vendor = translateInTreePv(aGcePv({ labels: { [zone]: 'b' } }), { zoneKey: 'topology.gke.io/zone' });
  t.deepEqual(vendor.spec?.nodeAffinity, affinityOf([{ 'topology.gke.io/zone': ['b'] }]));
  t.is(translateInTreePv(aGcePv()).spec?.nodeAffinity, undefined);
});

test('node affinity goes before labels, and old names become new ones', (t) => {
  const pv = aGcePv({ labels: { [zone]: 'x' }, affinity: [{ [oldZone]: ['b'], [oldRegion]: ['r'] }] });
  t.deepEqual(translateInTreePv(pv).spec?.nodeAffinity, affinityOf([{ [zone]: ['b'], [region]: ['r'] }]));
  const other = aGcePv({ labels: { [zone]: 'b' }, affinity: [{ rack: ['1'] }, { rack: ['2'] }] });
  t.deepEqual(
    translateInTreePv(other).spec?.nodeAffinity,
    affinityOf([
      { rack: ['1'], [zone]: ['b'] },
      { rack: ['2'], [zone]: ['b'] },
    ]),
  );
});

test('a regional disk', (t) => {
  const pv = translateInTreePv(aGcePv({ labels: { [zone]: 'us-east1-b__us-east1-a' } }));
  t.is(pv.spec?.csi?.volumeHandle, 'projects/UNSPECIFIED/regions/us-east1/disks/disk-1');
  t.deepEqual(pv.spec?.nodeAffinity, affinityOf([{ [zone]: ['us-east1-a', 'us-east1-b'] }]));
  t.throws(() => translateInTreePv(aGcePv({ labels: { [zone]: 'us-east1-b__us-west1-a' } })), {
    message: 'failed to get region from zones: us-east1-b, us-west1-a',
  });
});

test('access modes that a disk never had', (t) => {
  const modesOf = (...accessModes: string[]) => translateInTreePv(aGcePv({ accessModes })).spec?.accessModes;
  t.deepEqual(modesOf('ReadWriteMany'), ['ReadWriteOnce']);
  t.deepEqual(modesOf('ReadWriteOnce', 'ReadOnlyMany'), ['ReadWriteOnce']);
  t.deepEqual(modesOf('ReadOnlyMany'), ['ReadOnlyMany']);
  t.deepEqual(modesOf('ReadWriteMany', 'ReadOnlyMany'), ['ReadWriteOnce']);
});

test('there and back again', (t) => {
  const gce = aGcePv({
    gcePersistentDisk: { pdName: 'disk-1', fsType: 'ext4', readOnly: true, partition: 3 },
    affinity: [{ [zone]: ['us-east1-a'] }],
  });
  const back = translateCsiPv(translateInTreePv(gce));
  t.deepEqual(back.spec?.gcePersistentDisk, gce.spec?.gcePersistentDisk);
  t.is(back.spec?.csi, undefined);
  t.deepEqual(back.spec?.nodeAffinity, affinityOf([{ [zone]: ['us-east1-a'], [region]: ['us-east1'] }]));
  t.deepEqual(back.metadata?.labels, { [zone]: 'us-east1-a', [region]: 'us-east1' });

  const ebs = aPv({ awsElasticBlockStore: { volumeID: 'vol-1' }, affinity: [{ [zone]: ['us-west-2a'] }] });
  const ebsBack = translateCsiPv(translateInTreePv(ebs));
  t.deepEqual(ebsBack.spec?.awsElasticBlockStore, { volumeID: 'vol-1' });
  t.is(ebsBack.metadata?.labels?.[region], 'us-west-2');
});

test('the PV of our driver for an in-tree class keeps the region that the driver told', (t) => {
  for (const driver of ['pd.csi.storage.gke.io', 'ebs.csi.aws.com']) {
    const pv = aPv({
      csi: { driver, volumeHandle: 'disk-7', fsType: 'ext4' },
      affinity: [{ [region]: ['cn-hangzhou'], [zone]: ['cn-hangzhou-b'] }],
    });
    const translated = translateCsiPv(pv);
    t.deepEqual(translated.metadata?.labels, { [zone]: 'cn-hangzhou-b', [region]: 'cn-hangzhou' });
    t.deepEqual(translated.spec?.nodeAffinity, pv.spec?.nodeAffinity);
    const source = translated.spec?.gcePersistentDisk ?? translated.spec?.awsElasticBlockStore;
    t.is(Object.values(source ?? {})[0], 'disk-7');
  }
  const unknown = aPv({
    csi: { driver: 'ebs.csi.aws.com', volumeHandle: 'vol-1' },
    affinity: [{ [zone]: ['local-a'] }],
  });
  t.deepEqual(translateCsiPv(unknown).metadata?.labels, { [zone]: 'local-a' });
});

test('a storage class', (t) => {
  const translate = (parameters: Record<string, string>, provisioner = 'kubernetes.io/gce-pd') =>
    translateStorageClass({ provisioner, parameters });
  t.deepEqual(translate({ fstype: 'xfs', type: 'pd-ssd' }).parameters, {
    'csi.storage.k8s.io/fstype': 'xfs',
    type: 'pd-ssd',
  });
  t.deepEqual(translate({ zones: 'a,b' }).allowedTopologies, [
    { matchLabelExpressions: [{ key: zone, values: ['a', 'b'] }] },
  ]);
  t.deepEqual(
    translate({ Zone: 'a' }, 'kubernetes.io/aws-ebs').allowedTopologies?.[0]?.matchLabelExpressions,
    [{ key: zone, values: ['a'] }],
  );
  t.deepEqual(translate({ iopsPerGB: '5' }, 'kubernetes.io/aws-ebs').parameters, {
    iopsPerGB: '5',
    allowautoiopspergbincrease: 'true',
  });
  t.deepEqual(translate({ iopsPerGB: '5' }).parameters, { iopsPerGB: '5' });
  t.throws(() => translate({}, 'loop-disk.csi.podwright.io'), {
    message:
      'could not find in-tree storage class parameter translation logic for "loop-disk.csi.podwright.io"',
  });
});

test('the allowed topologies of a storage class', (t) => {
  const allowedTopologies = [
    {
      matchLabelExpressions: [
        { key: oldZone, values: ['a'] },
        { key: 'rack', values: ['1'] },
      ],
    },
    { matchLabelExpressions: [{ key: 'topology.gke.io/zone', values: ['b'] }] },
  ];
  const storageClass = { provisioner: 'kubernetes.io/gce-pd', allowedTopologies };
  t.deepEqual(translateStorageClass(storageClass).allowedTopologies, [
    {
      matchLabelExpressions: [
        { key: zone, values: ['a'] },
        { key: 'rack', values: ['1'] },
      ],
    },
    { matchLabelExpressions: [{ key: zone, values: ['b'] }] },
  ]);
  t.throws(() => translateStorageClass({ ...storageClass, parameters: { zone: 'a' } }), {
    message: 'cannot simultaneously set allowed topologies and zone/zones parameters',
  });
});

test('the zone key follows what the driver reports', (t) => {
  t.is(zoneKeyFor('pd.csi.storage.gke.io', [region, zone]), zone);
  t.is(zoneKeyFor('pd.csi.storage.gke.io', ['topology.gke.io/zone']), 'topology.gke.io/zone');
  t.is(zoneKeyFor('ebs.csi.aws.com', ['topology.gke.io/zone']), zone);
  t.is(zoneKeyFor('ebs.csi.aws.com'), zone);
});

test('a handle is made whole by the id of a node of that cloud', (t) => {
  const handle = 'projects/UNSPECIFIED/zones/UNSPECIFIED/disks/disk-1';
  const driver = 'pd.csi.storage.gke.io';
  t.is(
    repairVolumeHandle(driver, handle, 'projects/p/zones/z/instances/n'),
    'projects/p/zones/z/disks/disk-1',
  );
  t.is(repairVolumeHandle(driver, handle, 'node-1'), handle);
  t.is(
    repairVolumeHandle(
      driver,
      'projects/UNSPECIFIED/regions/UNSPECIFIED/disks/d',
      'projects/p/zones/us-east1-a/instances/n',
    ),
    'projects/p/regions/us-east1/disks/d',
  );
  t.is(repairVolumeHandle('ebs.csi.aws.com', 'vol-1', 'i-1'), 'vol-1');
});
