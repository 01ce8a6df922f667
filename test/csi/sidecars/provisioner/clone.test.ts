import test from 'ava';
import { persistentVolumeClaims, persistentVolumes } from '../../../../client/resources.ts';
import { bind, createClaim, createClass, startRig } from '../../sidecars-rig.ts';

test('a clone needs a source that is bound, large enough and of the same mode', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  const dataSource = { kind: 'PersistentVolumeClaim', name: 'source' };
  const clone = await createClaim(rig, 'clone', { dataSource });
  const prefix = 'error getting handle for DataSource Type PersistentVolumeClaim by Name source: ';
  t.is(
    await rig.eventOf('clone', 'ProvisioningFailed'),
    `${prefix}error getting PVC source (namespace "default") from api server: persistentvolumeclaim "source" not found`,
  );
  const source = await createClaim(rig, 'source');
  await rig.seen(persistentVolumes, `pvc-${source.metadata?.uid}`, () => true);
  await bind(rig, source);
  await rig.seen(persistentVolumes, `pvc-${clone.metadata?.uid}`, () => true);
  t.like(rig.driver.asked('createVolume').at(-1), {
    volumeContentSource: { volume: { volumeId: `id-pvc-${source.metadata?.uid}` } },
  });
  await createClaim(rig, 'small', { dataSource, resources: { requests: { storage: '1Mi' } } });
  t.is(
    await rig.eventOf('small', 'ProvisioningFailed'),
    `${prefix}error, new PVC request must be greater than or equal in size to the specified PVC data source, requested 1048576 but source is 1073741824`,
  );
  await createClaim(rig, 'block', { dataSource, volumeMode: 'Block' });
  t.is(
    await rig.eventOf('block', 'ProvisioningFailed'),
    `${prefix}the source PVC and destination PVCs must have the same volume mode for cloning.  Source is Filesystem, but new PVC requested Block`,
  );
});

test('a claim that is being cloned goes when no clone waits for it any more', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  const source = await createClaim(rig, 'source');
  await rig.seen(persistentVolumes, `pvc-${source.metadata?.uid}`, () => true);
  await bind(rig, source);
  const clone = await createClaim(rig, 'clone', {
    dataSource: { kind: 'PersistentVolumeClaim', name: 'source' },
  });
  await rig.seen(persistentVolumes, `pvc-${clone.metadata?.uid}`, () => true);
  const protection = 'provisioner.storage.kubernetes.io/cloning-protection';
  const held = await rig.seen(persistentVolumeClaims, 'default/source', () => true);
  t.true(held.metadata?.finalizers?.includes(protection));
  await rig.client.resource(persistentVolumeClaims).delete({ name: 'source', namespace: 'default' });
  await bind(rig, clone);
  await rig.seen(
    persistentVolumeClaims,
    'default/source',
    ({ metadata }) => metadata?.finalizers?.includes(protection) === false,
  );
});
