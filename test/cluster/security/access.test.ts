import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { join } from 'node:path';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import type { ObjectMeta, Role, RoleBinding, ServiceAccount } from '../../../api/types.ts';
import { StatusError } from '../../../api/status.ts';
import { readClusterFile } from '../../../cluster/cluster-file.ts';
import type { ClusterFile } from '../../../cluster/cluster-file.ts';
import { startCluster } from '../../../cluster/index.ts';
import { clusterPaths } from '../../../cluster/paths.ts';
import { createClient } from '../../../client/rest.ts';
import type { Client } from '../../../client/rest.ts';
import { pods, secrets, serviceAccounts } from '../../../client/resources.ts';
import { run } from '../../../linux/command.ts';
import type { CommandError } from '../../../linux/command.ts';
import { forever, podBench, shell } from '../pods/pod-bench.ts';
import type { PodBench } from '../pods/pod-bench.ts';
import { takeDown } from '../take-down.ts';

const test = anyTest as TestFn;
const namespace = 'default';
/** Made at run time, so that no file of this repository has it. */
const secretText = `only-in-memory-${process.hrtime.bigint().toString(36)}`;
let bench: PodBench;
let file: ClusterFile;

test.before(async () => {
  bench = await podBench(await startCluster({ name: `xx-s${process.pid}`, nodes: 2 }));
  const found = readClusterFile(bench.cluster.name);
  if (found === undefined) throw new Error('the cluster has no file');
  file = found;
  const object = { metadata: { name: 'hidden', namespace }, stringData: { password: secretText } };
  await bench.client.resource(secrets).create({ object });
});
test.after.always(async (t) => {
  bench?.client.close();
  await takeDown(t, bench?.cluster);
});

const pki = (name: string): string => readFileSync(join(clusterPaths(bench.cluster.name).pki, name), 'utf8');

/** A client with other credentials than the administrator's. */
function clientOf(t: ExecutionContext, credentials: { cert?: string; key?: string; token?: string }): Client {
  const client = createClient({ server: bench.cluster.server, ca: pki('ca.crt'), ...credentials });
  t.teardown(() => client.close());
  return client;
}

/** The code, reason and message of a refusal. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const { code, reason, message } = error.status;
    return `${code} ${reason}: ${message}`;
  }
  return 'not refused';
}

const roles = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'roles' };
const roleBindings = { ...roles, resource: 'rolebindings' };
type Named = { metadata?: ObjectMeta };

async function tokenOf(name: string): Promise<string> {
  const object: ServiceAccount & Named = { metadata: { name, namespace } };
  await bench.client.resource(serviceAccounts).create({ object });
  return (await bench.kubectl('create', 'token', name)).trim();
}

async function allowToListPods(serviceAccount: string): Promise<void> {
  const metadata = { name: serviceAccount, namespace };
  await bench.client.resource<Role>(roles).create({
    object: { metadata, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }] },
  });
  await bench.client.resource<RoleBinding>(roleBindings).create({
    object: {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: serviceAccount },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
    },
  });
}

/** Where processes of the cluster listen for TCP, `address:port`, in one network namespace. */
async function listeners(networkNamespace?: string): Promise<string[]> {
  const command = ['ss', '-ltnpH'];
  const [program = '', ...args] =
    networkNamespace === undefined
      ? command
      : ['nsenter', `--net=/run/netns/${networkNamespace}`, ...command];
  const { stdout } = await run(program, args);
  const ours = new Set(await processesOfCluster());
  return stdout
    .split('\n')
    .filter((line) => [...line.matchAll(/pid=(\d+)/g)].some(([, pid = '']) => ours.has(pid)))
    .map((line) => line.trim().split(/\s+/)[3] ?? '');
}

async function processesOfCluster(): Promise<string[]> {
  const { run: runDir } = clusterPaths(bench.cluster.name);
  return readdirSync(runDir)
    .filter((name) => name.endsWith('.pid'))
    .map((name) => /"pid":(\d+)/.exec(readFileSync(join(runDir, name), 'utf8'))?.[1] ?? '');
}

test('only loopback and the cluster’s own addresses are listened on, and each port speaks TLS', async (t) => {
  const onHost = await listeners();
  t.deepEqual(onHost.toSorted(), [`127.0.0.1:${file.port}`, `${file.bridgeIp}:${file.port}`].toSorted());
  let checked = 0;
  for (const node of file.nodes) {
    const onNode = await listeners(`podwright-${bench.cluster.name}-${node.name}`);
    t.true(onNode.includes(`${node.ip}:10250`));
    for (const listener of onNode) t.is(listener.split(':')[0], node.ip);
    for (const listener of [...onNode, ...(checked === 0 ? onHost : [])]) {
      const [host = '', port = ''] = listener.split(':');
      t.true(await speaksTls(host, Number(port)), `${listener} speaks TLS`);
      t.false(await speaksPlainHttp(host, Number(port)), `${listener} speaks nothing but TLS`);
      checked += 1;
    }
  }
  t.true(checked >= 4);
});

const speaksTls = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = tlsConnect({ host, port, ca: pki('ca.crt'), checkServerIdentity: () => undefined });
    socket.on('secureConnect', () => {
      resolve(socket.authorized && ['TLSv1.2', 'TLSv1.3'].includes(socket.getProtocol() ?? ''));
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });

const speaksPlainHttp = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = tcpConnect({ host, port }, () => socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(/HTTP\/1\.1 2/.test(answer)));
  });

test('strangers see health and version alone', async (t) => {
  const stranger = clientOf(t, {});
  const get = (path: string, client = stranger) => refusal(client.stream({ method: 'GET', path }));
  for (const path of ['/healthz', '/livez', '/readyz', '/version'])
    t.is(await get(path), 'not refused', path);
  for (const path of ['/api', '/apis', '/api/v1/pods', '/metrics', '/openapi/v2']) {
    t.is(await get(path), '401 Unauthorized: Unauthorized', path);
  }
  const liar = clientOf(t, { token: 'nonsense' });
  t.is(await get('/api/v1/pods', liar), '401 Unauthorized: Unauthorized');
  for (const node of file.nodes) {
    for (const path of [
      '/pods',
      '/metrics',
      '/exec/default/x/y',
      '/containerLogs/default/x/y',
      '/stats/summary',
    ]) {
      const { stdout } = await run('curl', [
        '-sk',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        `https://${node.ip}:10250${path}`,
      ]);
      t.is(stdout, '401', path);
    }
  }
});

test('a service account may do what a RoleBinding gives it, and no more', async (t) => {
  const fresh = clientOf(t, { token: await tokenOf('fresh') });
  const user = 'User "system:serviceaccount:default:fresh"';
  const list = () => refusal(fresh.resource(pods).list({ namespace }));
  t.is(
    await list(),
    `403 Forbidden: pods is forbidden: ${user} cannot list resource "pods" in API group "" in the namespace "default"`,
  );
  await allowToListPods('fresh');
  t.is(await list(), 'not refused');
  t.is(
    await refusal(fresh.resource(pods).list({})),
    `403 Forbidden: pods is forbidden: ${user} cannot list resource "pods" in API group "" at the cluster scope`,
  );
  t.is(
    await refusal(fresh.resource(secrets).get({ name: 'hidden', namespace })),
    `403 Forbidden: secrets "hidden" is forbidden: ${user} cannot get resource "secrets" in API group "" in the namespace "default"`,
  );
});

test('a Pod reaches the API server with its own token and certificate authority', async (t) => {
  await tokenOf('reader');
  await allowToListPods('reader');
  await bench.create('reader', {
    serviceAccountName: 'reader',
    containers: [{ ...shell('main', forever), image: 'podwright.local/host' }],
  });
  await bench.running(t, 'reader');
  const directory = '/var/run/secrets/kubernetes.io/serviceaccount';
  const curl = `curl -sS --cacert ${directory}/ca.crt -H "Authorization: Bearer $(cat ${directory}/token)"`;
  const ask = (path: string) =>
    bench.kubectl('exec', 'reader', '--', 'sh', '-c', `${curl} https://${file.bridgeIp}:${file.port}${path}`);
  const found = JSON.parse(await ask('/api/v1/namespaces/default/pods')) as { kind: string };
  t.is(found.kind, 'PodList');
  const refused = JSON.parse(await ask('/api/v1/namespaces/default/secrets')) as { code: number };
  t.is(refused.code, 403);
  await bench.remove('reader', 0);
  await bench.gone('reader');
});

test('a node reads the Secrets of its own Pods alone', async (t) => {
  const nodeClient = (name: string) =>
    clientOf(t, { cert: pki(`kubelet-${name}.crt`), key: pki(`kubelet-${name}.key`) });
  const read = (name: string) =>
    refusal(nodeClient(name).resource(secrets).get({ name: 'hidden', namespace }));
  const refused = (name: string) =>
    `403 Forbidden: secrets "hidden" is forbidden: User "system:node:${name}" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node '${name}' and this object`;
  t.is(await read('node-1'), refused('node-1'));
  t.is(await read('node-2'), refused('node-2'));
  await bench.create('holder', {
    nodeName: 'node-2',
    volumes: [{ name: 'hidden', secret: { secretName: 'hidden' } }],
    containers: [shell('main', forever, { volumeMounts: [{ name: 'hidden', mountPath: '/hidden' }] })],
  });
  await bench.running(t, 'holder');
  t.is(await read('node-2'), 'not refused');
  t.is(await read('node-1'), refused('node-1'));
  const search = ['-rlFs', '--', secretText, clusterPaths(bench.cluster.name).state];
  const { stdout } = await run('grep', search).catch((error: CommandError) => error); // exit code 1: nothing found
  const onDisk = stdout.split('\n').filter((path) => path !== '' && !path.includes('kubernetes.io~secret'));
  t.deepEqual(onDisk, [], 'no file of the state folder has the Secret, besides its tmpfs');
  t.is(await bench.kubectl('exec', 'holder', '--', 'cat', '/hidden/password'), secretText);
  await bench.remove('holder', 0);
  await bench.gone('holder');
});

test('keys, tokens and sockets are for root alone', async (t) => {
  const { state, run: runDir } = clusterPaths(bench.cluster.name);
  const guarded = '( -name *.key -o -name kubeconfig* -o -name *.sock )'.split(' ');
  const { stdout } = await run('find', [
    state,
    runDir,
    '-ignore_readdir_race',
    '-xdev',
    ...guarded,
    '-printf',
    '%m %p\n',
  ]);
  const found = stdout.trim().split('\n');
  t.true(found.length > 10);
  t.deepEqual(
    found.filter((line) => !/^[0-7]00 /.test(line)),
    [],
  );
  for (const path of [join(state, 'pki'), join(state, 'store')]) t.is(statSync(path).mode & 0o077, 0, path);
});
