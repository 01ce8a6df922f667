import anyTest from 'ava';
import type { TestFn } from 'ava';
import { CsiError } from '../../../../csi/error.ts';
import type { CodeName } from '../../../../csi/error.ts';
import { annotations } from '../../../../csi/snapshots/names.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../../csi/snapshots/resources.ts';
import { until } from '../../../environment.ts';
import { ofClaim, startSnapshotCluster } from '../../snapshots/snapshot-cluster.ts';
import type { SnapshotCluster } from '../../snapshots/snapshot-cluster.ts';

const test = anyTest as TestFn<SnapshotCluster>;

test.before(async (t) => {
  t.context = await startSnapshotCluster({ snapshotter: { timeoutMs: 10_000, retryMaxMs: 200 } });
  await t.context.createClass({ name: 'plain' });
});
test.after.always((t) => t.context.stop());

const times = (count: number, code: CodeName, message: string) =>
  Array.from({ length: count }, () => new CsiError(code, message));

const forever = 100_000;

test.serial('a final error is told, and nobody waits for a snapshot that is not in the making', async (t) => {
  const { driver, boundClaim, createSnapshot, content, whenFailed } = t.context;
  driver.fail('createSnapshot', ...times(forever, 'INVALID_ARGUMENT', 'no such volume type'));
  await boundClaim('final');
  const { metadata } = await createSnapshot('final', ofClaim('final', 'plain'));
  const cause =
    'failed to take snapshot of the volume volume-final: "rpc error: code = InvalidArgument desc = no such volume type"';
  await whenFailed('final', `Failed to check and update snapshot content: ${cause}`);
  const name = `snapcontent-${metadata?.uid ?? ''}`;
  const told = await t.context.whenTold(name, 'SnapshotContentCheckandUpdateFailed');
  t.true(told.includes(`SnapshotCreationFailed: Failed to create snapshot: ${cause}`));
  await until(
    'nobody is making it',
    async () => (await content(name))?.metadata?.annotations?.[annotations.beingCreated] === undefined,
  );

  await t.context.deleteSnapshot('final');
  await t.context.whenGone(volumeSnapshots, 'final', 'default');
  t.is(await content(name), undefined);
  driver.fail('createSnapshot');
});

test.serial('an error that ends lets the snapshot get ready and is forgotten', async (t) => {
  const { driver, boundClaim, createSnapshot, content } = t.context;
  driver.fail('createSnapshot', ...times(3, 'INTERNAL', 'out of luck'));
  await boundClaim('lucky');
  const { metadata } = await createSnapshot('lucky', ofClaim('lucky', 'plain'));
  const { status } = await t.context.whenReady('lucky');
  t.is(status?.error, undefined);
  t.is((await content(`snapcontent-${metadata?.uid ?? ''}`))?.status?.error, undefined);
});

test.serial('a snapshot that may be in the making is not let go before the driver has said so', async (t) => {
  const { driver, boundClaim, createSnapshot, content, whenFailed } = t.context;
  driver.fail('createSnapshot', ...times(forever, 'ABORTED', 'still cutting'));
  await boundClaim('cutting');
  const { metadata } = await createSnapshot('cutting', ofClaim('cutting', 'plain'));
  await whenFailed('cutting', /code = Aborted desc = still cutting"$/);
  const name = `snapcontent-${metadata?.uid ?? ''}`;
  t.is((await content(name))?.metadata?.annotations?.[annotations.beingCreated], 'yes');
  await t.context.deleteSnapshot('cutting');
  await until(
    'its deletion is wanted',
    async () => (await content(name))?.metadata?.deletionTimestamp !== undefined,
  );
  const before = driver.callsOf('createSnapshot').length;
  await until('the driver is asked again', () => driver.callsOf('createSnapshot').length > before + 1);
  t.truthy(await t.context.snapshot('cutting'));

  driver.fail('createSnapshot');
  await t.context.whenGone(volumeSnapshots, 'cutting', 'default');
  t.is(await content(name), undefined);
  t.false(driver.snapshots.has(`id-of-snapshot-${metadata?.uid ?? ''}`), 'nothing is left behind');
  t.true(JSON.stringify(driver.callsOf('deleteSnapshot')).includes(metadata?.uid ?? ''));
});

test.serial('a driver that is down is waited for', async (t) => {
  const { driver, boundClaim, createSnapshot, whenFailed } = t.context;
  await driver.down();
  await boundClaim('patient');
  await createSnapshot('patient', ofClaim('patient', 'plain'));
  await whenFailed('patient', /"rpc error: code = Unavailable desc = /);
  await driver.up();
  await t.context.whenReady('patient');
  t.pass();
});

test.serial('a failed deletion is told and tried again', async (t) => {
  const { driver, boundClaim, createSnapshot } = t.context;
  await boundClaim('sticky');
  const { metadata } = await createSnapshot('sticky', ofClaim('sticky', 'plain'));
  await t.context.whenReady('sticky');
  const name = `snapcontent-${metadata?.uid ?? ''}`;
  driver.fail('deleteSnapshot', ...times(forever, 'FAILED_PRECONDITION', 'in use'));
  await t.context.deleteSnapshot('sticky');
  t.true(
    (await t.context.whenTold(name, 'SnapshotDeleteError')).includes(
      'SnapshotDeleteError: Failed to delete snapshot',
    ),
  );
  t.truthy(await t.context.content(name));
  t.truthy(await t.context.snapshot('sticky'));
  driver.fail('deleteSnapshot');
  await t.context.whenGone(volumeSnapshots, 'sticky', 'default');
  await t.context.whenGone(volumeSnapshotContents, name);
});

test.serial('parameters that only Kubernetes could mean are refused', async (t) => {
  const { driver, boundClaim, createSnapshot, createClass, whenFailed } = t.context;
  await createClass({ name: 'odd', parameters: { 'csi.storage.k8s.io/unheard-of': 'x' } });
  await boundClaim('odd');
  const { metadata } = await createSnapshot('odd', ofClaim('odd', 'odd'));
  await whenFailed(
    'odd',
    /found unknown parameter key \\"csi\.storage\.k8s\.io\/unheard-of\\" with reserved namespace csi\.storage\.k8s\.io\/"$/,
  );
  t.false(JSON.stringify(driver.callsOf('createSnapshot')).includes(metadata?.uid ?? ''));
});

test.serial('contents of another driver are left alone', async (t) => {
  const { driver, boundClaim, createSnapshot, createClass } = t.context;
  await createClass({ name: 'elsewhere', driver: 'other.example.com' });
  await boundClaim('elsewhere', { driver: 'other.example.com' });
  const { metadata } = await createSnapshot('elsewhere', ofClaim('elsewhere', 'elsewhere'));
  await t.context.whenTold('elsewhere', 'CreatingSnapshot');
  await boundClaim('here');
  await createSnapshot('here', ofClaim('here', 'plain'));
  await t.context.whenReady('here');
  t.false(JSON.stringify(driver.calls).includes(metadata?.uid ?? ''));
});
