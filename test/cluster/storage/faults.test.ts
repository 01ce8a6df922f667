import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import { isNotFound } from '../../../client/errors.ts';
import { clientFromKubeconfig } from '../../../client/kubeconfig.ts';
import { csiNodes, nodes, persistentVolumes } from '../../../client/resources.ts';
import { findDaemon, listDaemons, startDaemon, stopDaemon } from '../../../cluster/daemons.ts';
import { startNode, startNodeDaemon, stopNode } from '../../../cluster/node-daemons.ts';
import { clusterPaths, nodePaths } from '../../../cluster/paths.ts';
import { up } from '../../../cluster/up.ts';
import { startLoopDiskController, startLoopDiskNode } from '../../../csi/drivers/loop-disk/index.ts';
import { startRegistrar } from '../../../csi/sidecars/registrar/start-registrar.ts';
import { startSidecars } from '../../../csi/start-sidecars.ts';
import { testLog } from '../../client/api-server.ts';
import { expectNothingLeft, until } from '../../environment.ts';
import { takeDown } from '../take-down.ts';
import { storageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

/** What becomes of disks when processes die at the worst moments: of a node, of the control plane, of a driver. */
const test = anyTest as TestFn;
const name = `gg-f${process.pid}`;
let bench: StorageBench;

test.before(async () => {
  bench = await storageBench({ name, nodes: 3 });
});
test.after.always(async (t) => {
  if (bench === undefined) return;
  bench.client.close();
  await takeDown(t, bench.cluster);
  await expectNothingLeft(`/${name}/`);
});

/** Starts a daemon that kills itself at a failpoint. */
const startToDie = (start: () => unknown, failpoint: string): void => {
  process.env['PODWRIGHT_FAILPOINTS'] = `${failpoint}=crash`;
  try {
    start();
  } finally {
    delete process.env['PODWRIGHT_FAILPOINTS'];
  }
};

const died = async (daemon: string, failpoint: string): Promise<void> => {
  const isDead = () => findDaemon(name, daemon) === undefined;
  await until(`${daemon} has died at ${failpoint}`, isDead, 60_000);
};

/** Has a daemon die at one failpoint after the other; the first is reached by what `act` asks for. */
const dieAtEach = async (
  daemon: string,
  { start, failpoints, act }: { start: () => unknown; failpoints: string[]; act: () => Promise<unknown> },
): Promise<void> => {
  await stopDaemon(name, daemon, { signal: 'SIGKILL' });
  const [first = '', ...others] = failpoints;
  startToDie(start, first);
  await act();
  await died(daemon, first);
  for (const failpoint of others) {
    startToDie(start, failpoint);
    await died(daemon, failpoint);
  }
};

const startNode2 = () => startNodeDaemon(name, 'node-2');
const startControlPlane = () =>
  startDaemon({ cluster: name, name: 'control-plane', command: ['control-plane', '--name', name] });
const answers = async (): Promise<void> => {
  const ask = () =>
    bench.client
      .resource(nodes)
      .list()
      .then(
        () => true,
        () => false,
      );
  await until('the API server answers', ask, 60_000);
};

const timesFormatted = (daemon: string): number =>
  bench
    .log(daemon)
    .split('\n')
    .filter((line) => line.includes('formatted an empty disk')).length;

const isDetached = async (claim: string) =>
  (await bench.attachmentsOf(await bench.volumeOf(claim))).length === 0;

test.serial('a node that dies at every step of staging: formatted once, mounted once', async (t) => {
  await bench.claim('staged');
  await dieAtEach('node-2', {
    start: startNode2,
    failpoints: [
      'linux.mkfs.before-superblock',
      'csi.stage.after-mkfs',
      'csi.stage.after-mount',
      'csi.publish.after-mount',
    ],
    act: () => bench.holder('staged', { claim: 'staged', node: 'node-2', script: 'echo kept >> /data/file' }),
  });
  await startNode(name, 'node-2');
  await bench.running(t, 'staged');
  await bench.written('staged', '/data/file');
  const loop = await bench.loopOf('staged');
  t.is(bench.mountsOf('node-2', loop).length, 2);
  t.is(timesFormatted('node-2'), 1);

  await stopNode(name, 'node-2', 'SIGKILL');
  t.is(bench.mountsOf('node-2', loop).length, 2);
  await startNode(name, 'node-2');
  t.is(await until('the node answers', () => bench.exec('staged', 'cat /data/file')), 'kept\n');
  t.is(bench.mountsOf('node-2', loop).length, 2);
  t.is((await bench.pod('staged')).status?.containerStatuses?.[0]?.restartCount, 0);
});

test.serial('a node that dies at every step back: unmounted, detached, nothing lost', async (t) => {
  const loop = await bench.loopOf('staged');
  await dieAtEach('node-2', {
    start: startNode2,
    failpoints: [
      'csi.unpublish-node.after-unmount',
      'kubelet.unpublish.after-call',
      'csi.unstage.after-unmount',
    ],
    act: () => bench.remove('staged', 1),
  });
  await startNode(name, 'node-2');
  await bench.gone('staged');
  await bench.until(t, 'it is detached', () => isDetached('staged'), 'staged');
  t.deepEqual(bench.mountsOf('node-2', loop), []);
  t.deepEqual(bench.loops(), []);

  await bench.holder('next', { claim: 'staged', node: 'node-3', script: 'cat /data/file' });
  await bench.running(t, 'next');
  await bench.prints(t, 'next', 'kept\n');
  t.is(timesFormatted('node-3'), 0);
  await bench.removed('next');
  await bench.disposed('staged');
});

test.serial(
  'a control plane that dies at every step of making and attaching: one disk, attached once',
  async (t) => {
    await dieAtEach('control-plane', {
      start: startControlPlane,
      failpoints: [
        'csi.create-volume.after-disk',
        'csi.provisioner.after-create-volume',
        'cloud.attach.after-record',
        'csi.attacher.after-publish',
      ],
      async act() {
        await answers();
        await bench.claim('made');
        await bench.holder('made', { claim: 'made' });
      },
    });
    await up({ name });
    await bench.running(t, 'made');
    t.is(bench.images().length, 1);
    t.is(bench.loops().length, 1);
    const { items } = await bench.client.resource(persistentVolumes).list();
    t.deepEqual(
      items.map(({ status }) => status?.phase),
      ['Bound'],
    );
    t.is((await bench.attachmentsOf(await bench.volumeOf('made'))).length, 1);
  },
);

test.serial(
  'a control plane that dies at every step of detaching and deleting: nothing is left',
  async (t) => {
    const { metadata } = await bench.volumeOf('made');
    await dieAtEach('control-plane', {
      start: startControlPlane,
      failpoints: ['cloud.detach.after-device', 'csi.attacher.after-unpublish', 'cloud.delete.after-record'],
      async act() {
        await answers();
        await bench.kubectl('delete', 'pod/made', 'pvc/made', '--wait=false');
      },
    });
    await up({ name });
    const isGone = () =>
      bench.client
        .resource(persistentVolumes)
        .get({ name: metadata?.name ?? '' })
        .then(() => false, isNotFound);
    await bench.until(t, 'the volume is gone', isGone, 'made', metadata?.name ?? '');
    t.deepEqual(bench.images(), []);
    t.deepEqual(bench.loops(), []);
  },
);

const taint = (taints: object[]) =>
  bench.client.resource(nodes).patch({ name: 'node-2', type: 'merge', patch: { spec: { taints } } });

test.serial(
  'a node that is lost keeps its disk until somebody says that it is off; never two have it',
  async (t) => {
    await bench.claim('lost');
    const script =
      'echo by the first > /data/file; sync; while :; do date >> /data/more; sync; sleep 0.1; done';
    await bench.holder('lost', { claim: 'lost', node: 'node-2', script });
    await bench.running(t, 'lost');
    const before = await bench.loopOf('lost');
    await bench.written('lost', '/data/more');
    await stopNode(name, 'node-2', 'SIGKILL');
    await bench.remove('lost', 0);
    await bench.gone('lost');
    await bench.holder('heir', { claim: 'lost', node: 'node-3', script: 'cat /data/file' });
    const volume = await bench.volumeOf('lost');
    t.regex(
      (await bench.told(t, 'heir', 'FailedAttachVolume')).message ?? '',
      new RegExp(
        `^Multi-Attach error for volume "${volume.metadata?.name}" Volume is already exclusively attached to one node and can't be attached to another: node node-2 has it; `,
      ),
    );
    const holders = async () => (await bench.attachmentsOf(volume)).map(({ spec }) => spec.nodeName);
    t.deepEqual(await holders(), ['node-2']);
    t.is((await bench.pod('heir')).status?.phase, 'Pending');

    await taint([{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }]);
    await bench.running(t, 'heir');
    t.deepEqual(await holders(), ['node-3']);
    await bench.prints(t, 'heir', 'by the first\n');
    const [after, ...others] = bench.loops().filter(({ cutOff }) => !cutOff);
    t.deepEqual(others, []);
    t.not(after?.path, before.path);
    t.deepEqual(bench.mountsOf('node-2', after ?? before), []);
    // The old Pod's process is still there and writes, but nothing of that reaches the disk any more.
    const size = 'stat -c %s /data/more';
    t.is(
      await bench
        .exec('heir', `${size}; sleep 1; ${size}`)
        .then((text) => new Set(text.trim().split('\n')).size),
      1,
    );

    await taint([]);
    await startNode(name, 'node-2');
    await bench.until(t, 'node-2 has let go', () => bench.mountsOf('node-2', before).length === 0);
    await bench.until(t, 'its device has gone', () => bench.loops().length === 1);
    await bench.removed('heir');
    await bench.disposed('lost');
  },
);

const OTHER = 'gg.csi.podwright.io';

/** A driver of somebody else on node-2: its two halves can be stopped and started. */
const otherDriver = async (t: ExecutionContext) => {
  const { csiPlugins, pluginsRegistry, run: nodeRun } = nodePaths(name, 'node-2');
  const folder = join(csiPlugins, OTHER);
  mkdirSync(folder, { recursive: true });
  const place = { driverName: OTHER, log: testLog };
  const nodeSocket = join(folder, 'csi.sock');
  const controllerSocket = join(nodeRun, 'gg.sock');
  const { cloudSocket } = clusterPaths(name);
  const node = () =>
    startLoopDiskNode({
      ...place,
      socketPath: nodeSocket,
      nodeName: 'node-2',
      region: 'local',
      zone: 'local-a',
    });
  const controller = () => startLoopDiskController({ ...place, socketPath: controllerSocket, cloudSocket });
  const client = clientFromKubeconfig(bench.cluster.kubeconfig);
  const parts = [
    await startRegistrar({ registrationDir: pluginsRegistry, driverName: OTHER, driverSocket: nodeSocket }),
    await startSidecars({
      client,
      log: testLog,
      drivers: [{ name: OTHER, socketPath: controllerSocket }],
      snapshots: false,
    }),
  ];
  t.teardown(async () => {
    for (const part of parts) await part.stop();
    client.close();
    rmSync(folder, { recursive: true });
  });
  return { node, controller };
};

test.serial('a driver that is away for a while: events tell, then all goes on', async (t) => {
  const driver = await otherDriver(t);
  let node = await driver.node();
  t.teardown(() => node.stop());
  const isRegistered = async () => {
    const { spec } = await bench.client.resource(csiNodes).get({ name: 'node-2' });
    return spec.drivers.some((each) => each.name === OTHER);
  };
  await bench.until(t, 'the driver is registered', isRegistered);
  await bench.storageClass('other', { provisioner: OTHER });
  await bench.claim('other', { storageClassName: 'other' });
  await bench.holder('other', { claim: 'other', node: 'node-2' });
  await bench.told(t, 'other', 'ExternalProvisioning', `'${OTHER}'`);
  t.is((await bench.getClaim('other')).status?.phase, 'Pending');

  await node.stop();
  const controller = await driver.controller();
  t.teardown(() => controller.stop());
  await bench.told(t, 'other', 'SuccessfulAttachVolume');
  await bench.told(
    t,
    'other',
    'FailedMount',
    'MountVolume.MountDevice failed for volume "pvc-.*" : rpc error: code = Unavailable desc = ',
  );
  node = await driver.node();
  await bench.running(t, 'other');
  await bench.removed('other');
  await bench.disposed('other');
});

test.serial('a cluster with disks in use, all daemons killed: down leaves nothing', async (t) => {
  await bench.claim('last');
  await bench.claim('last-raw', { volumeMode: 'Block' });
  await bench.holder('last', { claim: 'last', script: 'while :; do date >> /data/file; done' });
  await bench.holder('last-raw', { claim: 'last-raw', asDevice: true });
  await bench.running(t, 'last');
  await bench.running(t, 'last-raw');
  t.is(bench.loops().length, 2);
  await Promise.all(listDaemons(name).map((daemon) => stopDaemon(name, daemon.name, { signal: 'SIGKILL' })));
  await bench.cluster.down();
  const { stdout } = await promisify(execFile)('losetup', ['--list', '--output', 'BACK-FILE']);
  t.false(stdout.includes(`/${name}/`));
});
