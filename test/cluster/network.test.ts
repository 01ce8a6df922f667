import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import type { PodSpec } from '../../api/types.ts';
import { readClusterFile } from '../../cluster/cluster-file.ts';
import type { ClusterFile } from '../../cluster/cluster-file.ts';
import { startCluster } from '../../cluster/index.ts';
import { nodes } from '../../client/resources.ts';
import { run } from '../../linux/command.ts';
import { forever, podBench, shell } from './pods/pod-bench.ts';
import type { PodBench } from './pods/pod-bench.ts';
import { takeDown } from './take-down.ts';
import { patience, until } from '../environment.ts';

const test = anyTest as TestFn;
let bench: PodBench;
let file: ClusterFile;

test.before(async (t) => {
  bench = await podBench(await startCluster({ name: `xx-n${process.pid}`, nodes: 2 }));
  const found = readClusterFile(bench.cluster.name);
  if (found === undefined) throw new Error('the cluster has no file');
  file = found;
  const hidden = { ports: [{ containerPort: 8080, hostPort: 18080 }] };
  await bench.create('one', { nodeName: 'node-1', containers: [serving('one', 8080, hidden)] });
  await bench.create('two', { nodeName: 'node-2', containers: [serving('two', 8080)] });
  await bench.create('host', {
    nodeName: 'node-2',
    hostNetwork: true,
    containers: [serving('host', 8081, { ports: [{ containerPort: 8081 }] })],
  });
  const context = t as unknown as ExecutionContext;
  for (const name of ['one', 'two', 'host']) await bench.running(context, name);
});
test.after.always(async (t) => {
  bench?.client.close();
  await takeDown(t, bench?.cluster);
});

/** A container that serves its name by HTTP; a Pod is asked only after its server answers itself. */
const serving = (name: string, port: number, more: object = {}) =>
  shell('main', `mkdir -p /www; echo ${name} > /www/index.html; httpd -p ${port} -h /www; ${forever}`, {
    readinessProbe: { httpGet: { port }, periodSeconds: 1 },
    ...more,
  });

const ipOf = async (name: string): Promise<string> => (await bench.pod(name)).status?.podIP ?? '';

const fromPod = async (name: string, address: string) =>
  (await bench.kubectl('exec', name, '--', 'wget', '-q', '-O', '-', `http://${address}/`)).trim();

const fromHost = async (address: string) =>
  (await run('curl', ['-sS', '--max-time', String(5 * patience), `http://${address}/`])).stdout.trim();

const node = (name: string) => {
  const found = file.nodes.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

test('a Pod has an address of its node’s Pod network; with hostNetwork it has the node’s', async (t) => {
  const prefix = (cidr: string) => cidr.replace(/\d+\/24$/, '');
  for (const [pod, on] of [
    ['one', 'node-1'],
    ['two', 'node-2'],
  ] as const) {
    const { status } = await bench.pod(pod);
    t.true(status?.podIP?.startsWith(prefix(node(on).podCidr)), `${status?.podIP} in ${node(on).podCidr}`);
    t.deepEqual(status?.podIPs, [{ ip: status?.podIP ?? '' }]);
    t.is(status?.hostIP, node(on).ip);
    const { spec } = await bench.client.resource(nodes).get({ name: on });
    t.is(spec?.podCIDR, node(on).podCidr);
  }
  const { status } = await bench.pod('host');
  t.is(status?.podIP, node('node-2').ip);
  t.is(status?.hostIP, node('node-2').ip);
  t.regex(
    await bench.kubectl('exec', 'host', '--', 'ip', '-4', 'addr'),
    new RegExp(`inet ${node('node-2').ip}/`),
  );
});

test('Pods reach each other across nodes, and see each other’s own addresses', async (t) => {
  t.is(await fromPod('one', `${await ipOf('two')}:8080`), 'two');
  t.is(await fromPod('two', `${await ipOf('one')}:8080`), 'one');
  t.is(await fromPod('one', `${await ipOf('host')}:8081`), 'host');
  t.is(await fromPod('host', `${await ipOf('one')}:8080`), 'one');
  // A connection that is open while it is looked at: of a closed one only the side that closed first knows.
  const open = `sleep ${3 * patience} | nc ${await ipOf('one')} 8080; true`;
  const connected = bench.kubectl('exec', 'two', '--', 'sh', '-c', open);
  const peer = new RegExp(`${await ipOf('two')}:\\d+ +ESTABLISHED`);
  await until('no address is translated between Pods', async () =>
    peer.test(await bench.kubectl('exec', 'one', '--', 'netstat', '-tn')),
  );
  await connected;
});

test('the host reaches Pods, and Pods the host’s side of the bridge', async (t) => {
  t.is(await fromHost(`${await ipOf('one')}:8080`), 'one');
  t.is(await fromHost(`${await ipOf('two')}:8080`), 'two');
  t.is(await fromHost(`${await ipOf('host')}:8081`), 'host');
  for (const name of ['one', 'two']) {
    t.regex(await bench.kubectl('exec', name, '--', 'ping', '-c', '1', file.bridgeIp), /1 packets received/);
    await bench.kubectl('exec', name, '--', 'nc', file.bridgeIp, String(file.port), '-e', 'true');
  }
});

test('a hostPort is served at the address of the node, for Pods, nodes and the host', async (t) => {
  const address = `${node('node-1').ip}:18080`;
  t.is(await fromHost(address), 'one');
  t.is(await fromPod('two', address), 'one');
  t.is(await fromPod('one', address), 'one', 'also from the Pod itself');
  t.is(await fromPod('host', address), 'one');
  await t.throwsAsync(fromHost(`${node('node-2').ip}:18080`), {
    message: /Failed to connect|Connection refused/i,
  });
});

test('a hostPort that is taken: the scheduler says so; past the scheduler the kubelet refuses', async (t) => {
  const spec = (more: Partial<PodSpec>): Partial<PodSpec> => ({
    containers: [shell('main', forever, { ports: [{ containerPort: 8080, hostPort: 18080 }] })],
    ...more,
  });
  const nodeSelector = { 'kubernetes.io/hostname': 'node-1' };
  await bench.create('unscheduled', spec({ nodeSelector, tolerations: [{ operator: 'Exists' }] }));
  const { message } = await bench.eventUntil(t, 'unscheduled', ({ reason }) => reason === 'FailedScheduling');
  t.regex(
    message ?? '',
    /^0\/2 nodes are available: 1 node\(s\) didn't have free ports for the requested pod ports, 1 node\(s\) didn't match Pod's node affinity\/selector\. /,
  );
  await bench.create('refused', spec({ nodeName: 'node-1' }));
  const { status } = await bench.podUntil(t, 'refused', (pod) => pod.status?.phase === 'Failed');
  t.is(status?.reason, 'NodePorts');
  t.is(
    status?.message,
    "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  );
  await bench.remove('unscheduled', 0);
  await bench.remove('refused', 0);
});
