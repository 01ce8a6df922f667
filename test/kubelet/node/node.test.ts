import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { NodeStatus } from '../../../api/types.ts';
import { events, leases, nodes } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { nodeConditions } from '../../../kubelet/node/node-conditions.ts';
import { allocatableOf, resourceList } from '../../../kubelet/node/machine.ts';
import { reportNode } from '../../../kubelet/node/node-status.ts';
import { createFakeClock } from '../../client/fake-clock.ts';
import { startBench } from '../kubelet-on-fakes.ts';
import { until } from '../../environment.ts';

test('the node registers, is Ready and keeps its lease', async (t) => {
  const bench = await startBench(t, {
    labels: { zone: 'a' },
    taints: [{ key: 'dedicated', value: 'x', effect: 'NoSchedule' }],
    podCidr: '10.9.0.0/24',
    config: { nodeStatusUpdateFrequencyMs: 200, systemReserved: { cpu: 100 } },
  });
  const client = bench.client.resource(nodes);
  const node = await until('Ready', async () => {
    const seen = await client.get({ name: 'node-1' });
    const isReady = seen.status?.conditions?.some(
      ({ type, status }) => type === 'Ready' && status === 'True',
    );
    return isReady ? seen : undefined;
  });
  t.like(node.metadata?.labels, {
    'kubernetes.io/hostname': 'node-1',
    'kubernetes.io/os': 'linux',
    'beta.kubernetes.io/os': 'linux',
    zone: 'a',
  });
  t.like(node.spec?.taints?.[0], { key: 'dedicated', value: 'x', effect: 'NoSchedule' });
  t.is(node.spec?.podCIDR, '10.9.0.0/24');
  t.deepEqual(node.status?.addresses, [
    { type: 'InternalIP', address: '127.0.0.1' },
    { type: 'Hostname', address: 'node-1' },
  ]);
  t.is(node.status?.nodeInfo?.kubeletVersion, 'v1.36.0');
  t.is(node.status?.nodeInfo?.containerRuntimeVersion, 'podwright://0.1.0');
  t.is(node.status?.daemonEndpoints?.kubeletEndpoint?.Port, bench.kubelet.port);
  t.is(node.status?.capacity?.['pods'], '110');
  t.regex(node.status?.allocatable?.['cpu'] ?? '', /^\d+00m$/);
  const shown = node.status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
  t.true(shown?.includes('Ready=True KubeletReady'));
  t.true(shown?.includes('MemoryPressure=False KubeletHasSufficientMemory'));
  const lease = await until('lease', () =>
    bench.client.resource(leases).get({ name: 'node-1', namespace: 'kube-node-lease' }),
  );
  t.is(lease.spec?.holderIdentity, 'node-1');
  t.is(lease.spec?.leaseDurationSeconds, 40);
  t.is(lease.metadata?.ownerReferences?.[0]?.uid, node.metadata?.uid);

  bench.cri.intercept('Status', () => ({
    status: {
      conditions: [
        { type: 'RuntimeReady', status: true },
        {
          type: 'NetworkReady',
          status: false,
          reason: 'NetworkPluginNotReady',
          message: 'Network plugin returns error: cni plugin not initialized',
        },
      ],
    },
  }));
  const ready = await until('not ready', async () => {
    const { status } = await client.get({ name: 'node-1' });
    return status?.conditions?.find(({ type, status: is }) => type === 'Ready' && is === 'False');
  });
  t.is(ready.reason, 'KubeletNotReady');
  t.is(
    ready.message,
    'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
  );
  const told = await until('event', async () => {
    const { items } = await bench.client.resource(events).list({ namespace: 'default' });
    return items.find(({ reason }) => reason === 'NodeNotReady');
  });
  t.is(told.message, 'Node node-1 status is now: NodeNotReady');
});

test('volumes in use that change while the status before is just written are written too', async (t) => {
  for (let turns = 0; turns < 10; turns += 1) {
    const inUse: string[] = [];
    const written: string[][] = [];
    const node = { metadata: { name: 'node-1' }, status: {} };
    const patch = async ({ patch: { status } }: { patch: { status: NodeStatus } }) => {
      written.push(status.volumesInUse ?? []);
      return { ...node, status };
    };
    const reporter = reportNode({
      client: { resource: () => ({ create: async () => node, patch }) } as unknown as Client,
      nodeName: 'node-1',
      labels: {},
      taints: [],
      podCidr: undefined,
      clock: createFakeClock(),
      log: { debug() {}, info() {}, warn() {}, error() {} },
      events: { pod() {}, container() {}, node() {} },
      statusNow: async (previous) => previous,
      volumesInUse: () => [...inUse],
      async onStatus({ status }) {
        if (status?.volumesInUse?.join() !== 'one') return;
        for (let passed = 0; passed < turns; passed += 1) await Promise.resolve();
        inUse.push('two');
        reporter.checkVolumesInUse();
      },
    });
    await reporter.registered;
    inUse.push('one');
    reporter.checkVolumesInUse();
    await turn();
    t.deepEqual(written, [['one'], ['one', 'two']], `after ${turns} turns`);
    reporter.stop();
  }
});

test('conditions keep the time of their last change', (t) => {
  const quiet = { memory: false, disk: false, pid: false };
  const first = nodeConditions({ pressure: quiet, notReady: ['a', 'b'], previous: [], now: 'T1' });
  t.is(first.find(({ type }) => type === 'Ready')?.message, '[a, b]');
  const second = nodeConditions({
    pressure: { ...quiet, disk: true },
    notReady: ['a'],
    previous: first,
    now: 'T2',
  });
  const times = Object.fromEntries(second.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
  t.deepEqual(times, { MemoryPressure: 'T1', DiskPressure: 'T2', PIDPressure: 'T1', Ready: 'T1' });
});

test('what pods may use, as the API writes it', (t) => {
  const capacity = { cpu: 2000, memory: 4 * 2 ** 30, 'hugepages-2Mi': 2 ** 21, pods: 110 };
  t.deepEqual(resourceList(allocatableOf(capacity, { cpu: 100, memory: 2 ** 20 })), {
    cpu: '1900m',
    memory: `${(4 * 2 ** 30 - 2 ** 20 - 2 ** 21) / 1024}Ki`,
    'hugepages-2Mi': '2048Ki',
    pods: '110',
  });
});
