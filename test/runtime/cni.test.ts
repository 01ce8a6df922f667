import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { run } from '../../linux/command.ts';
import {
  createNetworkNamespace,
  deleteNetworkNamespace,
  insideNetworkNamespace,
} from '../../linux/namespaces.ts';
import { writeCniConfiguration } from '../../network/cni-configuration.ts';
import { writeRecord } from '../../runtime/cni/attachment-record.ts';
import {
  addSandboxToNetwork,
  CniError,
  listAttachedSandboxes,
  loadNetworkConfiguration,
  removeSandboxFromNetwork,
} from '../../runtime/cni.ts';
import type { PortMapping } from '../../runtime/cni.ts';
import { enterFreshHost, inNetns, shell } from '../network/host-network.ts';
import { patience } from '../environment.ts';

const pluginDir = '/usr/lib/cni';

// The test's own namespace plays the node's, in which the plugins run.
enterFreshHost();

let sandboxes = 0;

async function node(t: ExecutionContext) {
  const dir = mkdtempSync(join(tmpdir(), 'ss-cni-'));
  const places = { confDir: join(dir, 'conf'), cacheDir: join(dir, 'cache'), binDir: pluginDir };
  const ipamDir = join(dir, 'ipam');
  await writeCniConfiguration({ confDir: places.confDir, ipamDir, podCidr: '10.99.1.0/24' });
  const namespaces: string[] = [];
  t.teardown(() => {
    for (const path of namespaces) deleteNetworkNamespace(path);
    shell('ip link delete cni0 2>/dev/null; nft delete table ip pw-hostports 2>/dev/null; true');
    rmSync(dir, { recursive: true });
  });
  const sandbox = (hostPorts: PortMapping[] = []) => {
    sandboxes += 1;
    const sandboxId = `ss${process.pid}x${sandboxes}`;
    const netnsPath = `/run/netns/${sandboxId}`;
    createNetworkNamespace(netnsPath);
    namespaces.push(netnsPath);
    return {
      ...places,
      sandboxId,
      netnsPath,
      podName: 'pod',
      podNamespace: 'default',
      podUid: 'uid',
      hostPorts,
    };
  };
  const leased = () =>
    readdirSync(join(ipamDir, 'podwright')).filter((name) => /^\d+\.\d+\.\d+\.\d+$/.test(name));
  return { dir, places, sandbox, leased };
}

const port = (hostPort: number, more: Partial<PortMapping> = {}): PortMapping => ({
  hostPort,
  containerPort: 80,
  protocol: 'tcp',
  hostIP: '',
  ...more,
});

const read = (host: string, from: string, number = 80) => {
  const command = `timeout ${3 * patience} bash -c 'cat < /dev/tcp/${host}/${number}'`;
  return run('nsenter', [`--net=${from}`, '--', '/bin/bash', '-c', command]).then(({ stdout }) => stdout);
};

const here = '/proc/self/ns/net';

/** Answers every connection in a sandbox with the peer's address. */
async function serveIn(t: ExecutionContext, netnsPath: string): Promise<void> {
  const server = insideNetworkNamespace(netnsPath, () =>
    createServer((socket) => socket.end(String(socket.remoteAddress))).listen(80),
  );
  if (!server.listening) await once(server, 'listening');
  t.teardown(() => server.close());
}

test.serial(
  'Pods reach each other and the node, their loopback is up, and nothing stays behind',
  async (t) => {
    const { sandbox, leased, places } = await node(t);
    const [one, two] = [sandbox(), sandbox()];
    const [first, second] = [await addSandboxToNetwork(one), await addSandboxToNetwork(two)];
    t.deepEqual([first.ips, second.ips], [['10.99.1.2'], ['10.99.1.3']]);
    await serveIn(t, two.netnsPath);
    t.regex(await read('10.99.1.3', one.netnsPath), /10\.99\.1\.2$/);
    t.regex(await read('10.99.1.3', here), /10\.99\.1\.1$/);
    t.regex(await read('127.0.0.1', two.netnsPath), /127\.0\.0\.1$/);
    t.regex(inNetns(one.netnsPath, 'ip route'), /^default via 10\.99\.1\.1 dev eth0/);
    t.deepEqual(listAttachedSandboxes(places).toSorted(), [one.sandboxId, two.sandboxId].toSorted());
    for (const { sandboxId, netnsPath } of [one, two]) {
      await removeSandboxFromNetwork({ ...places, sandboxId, netnsPath });
      await removeSandboxFromNetwork({ ...places, sandboxId, netnsPath });
    }
    t.deepEqual(leased(), []);
    t.deepEqual(listAttachedSandboxes(places), []);
    t.is(shell('ip -o link show type veth'), '');
  },
);

test.serial('a record that a power cut has emptied does not stop the removal', async (t) => {
  const { sandbox, leased, places } = await node(t);
  const one = sandbox();
  await addSandboxToNetwork(one);
  deleteNetworkNamespace(one.netnsPath);
  writeFileSync(join(places.cacheDir, `${one.sandboxId}.json`), '');
  await removeSandboxFromNetwork({ ...places, sandboxId: one.sandboxId });
  t.deepEqual(leased(), []);
  t.deepEqual(listAttachedSandboxes(places), []);
});

test.serial('a namespace that is gone does not stop the removal', async (t) => {
  const { sandbox, leased } = await node(t);
  const one = sandbox();
  await addSandboxToNetwork(one);
  deleteNetworkNamespace(one.netnsPath);
  await removeSandboxFromNetwork(one);
  t.deepEqual(leased(), []);
});

test.serial('30 sandboxes at once get 30 addresses', async (t) => {
  const { sandbox, leased } = await node(t);
  const all = Array.from({ length: 30 }, () => sandbox());
  const results = await Promise.all(all.map((one) => addSandboxToNetwork(one)));
  t.is(new Set(results.flatMap(({ ips }) => ips)).size, 30);
  t.is(leased().length, 30);
  await Promise.all(all.map((one) => removeSandboxFromNetwork(one)));
  t.deepEqual(leased(), []);
});

test.serial('a plugin that fails behind the bridge: its words, and the address is released', async (t) => {
  const { dir, places, sandbox, leased } = await node(t);
  const binDir = withPlugin(dir, {
    name: 'broken',
    script: `[ "$CNI_COMMAND" = DEL ] || { echo '{"cniVersion":"1.0.0","code":100,"msg":"no luck","details":"today"}'; exit 1; }`,
  });
  addPlugin(places.confDir, { type: 'broken' });
  const one = { ...sandbox(), binDir };
  const error = await t.throwsAsync(() => addSandboxToNetwork(one), { instanceOf: CniError });
  t.is(error.message, 'plugin type="broken" failed: no luck; today');
  t.is(error.code, 100);
  t.deepEqual(leased(), []);
  t.deepEqual(listAttachedSandboxes(places), []);
  t.is(shell('ip -o link show type veth'), '');
});

test.serial('an undo that fails is told, and stays to be tried again', async (t) => {
  const { dir, places, sandbox, leased } = await node(t);
  const binDir = withPlugin(dir, {
    name: 'broken',
    script: '[ -e "$CNI_PATH/mended" ] || { echo oops >&2; exit 7; }',
  });
  addPlugin(places.confDir, { type: 'broken' });
  const one = { ...sandbox(), binDir };
  const error = await t.throwsAsync(() => addSandboxToNetwork(one), { instanceOf: CniError });
  t.regex(error.message, /exit code 7: oops; and undoing it failed: plugin type="broken" failed: .*oops$/);
  t.deepEqual(listAttachedSandboxes(places), [one.sandboxId]);
  t.is(leased().length, 1);
  writeFileSync(join(binDir, 'mended'), '');
  await removeSandboxFromNetwork(one);
  t.deepEqual(leased(), []);
});

test.serial('what a runtime that was killed during ADD left is removed', async (t) => {
  const { places, sandbox, leased } = await node(t);
  const one = sandbox();
  await addSandboxToNetwork(one);
  // As if the result had never been written.
  const configuration = loadNetworkConfiguration(places.confDir);
  const record = {
    version: 1 as const,
    containerId: one.sandboxId,
    ifName: 'eth0',
    cniArgs: [],
    portMappings: [],
  };
  writeRecord(places.cacheDir, { ...record, configuration });
  t.deepEqual(listAttachedSandboxes(places), [one.sandboxId]);
  await removeSandboxFromNetwork(one);
  t.deepEqual(leased(), []);
});

test.serial(
  'plugins get the arguments, the capabilities and the result before them, DEL in reverse',
  async (t) => {
    const { dir, places, sandbox } = await node(t);
    const script = (name: string) =>
      `input=$(cat); echo "${name} $CNI_COMMAND $CNI_IFNAME $CNI_ARGS $input" >> ${dir}/calls; ` +
      `[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.1.9/24"}],"by":"${name}"}'`;
    const binDir = withPlugin(dir, { name: 'one', script: script('one') });
    withPlugin(dir, { name: 'two', script: script('two') });
    const plugins = [
      { type: 'one', own: true },
      { type: 'two', capabilities: { portMappings: true } },
    ];
    const list = { cniVersion: '1.0.0', name: 'fake', plugins };
    writeFileSync(join(places.confDir, '05-first.conflist'), JSON.stringify(list));
    const mapping = port(8080);
    const pod = { ...sandbox([mapping, port(0)]), binDir };
    t.deepEqual(await addSandboxToNetwork(pod), { ips: ['10.1.1.9'] });
    // The file is gone by then: DEL goes by what was remembered.
    rmSync(join(places.confDir, '05-first.conflist'));
    await removeSandboxFromNetwork(pod);
    const calls = readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n').map(readCall);
    const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod;K8S_POD_INFRA_CONTAINER_ID=${pod.sandboxId};K8S_POD_UID=uid`;
    const common = { name: 'fake', cniVersion: '1.0.0' };
    const runtimeConfig = { portMappings: [mapping] };
    const result = (by: string) => ({ cniVersion: '1.0.0', ips: [{ address: '10.1.1.9/24' }], by });
    t.deepEqual(calls, [
      { call: `one ADD eth0 ${args}`, input: { type: 'one', own: true, ...common } },
      {
        call: `two ADD eth0 ${args}`,
        input: { type: 'two', ...common, runtimeConfig, prevResult: result('one') },
      },
      {
        call: `two DEL eth0 ${args}`,
        input: { type: 'two', ...common, runtimeConfig, prevResult: result('two') },
      },
      {
        call: `one DEL eth0 ${args}`,
        input: { type: 'one', own: true, ...common, prevResult: result('two') },
      },
    ]);
    t.is(shell('nft list tables'), '');
  },
);

test.serial(
  'host ports: from the node, from a neighbour, from the Pod itself; a taken one is refused',
  async (t) => {
    const { sandbox, places, leased } = await node(t);
    const one = sandbox([port(8080), port(8081, { hostIP: '192.0.2.2' })]);
    const two = sandbox();
    await addSandboxToNetwork(one);
    await addSandboxToNetwork(two);
    await serveIn(t, one.netnsPath);
    t.regex(await read('192.0.2.2', here, 8080), /192\.0\.2\.2$/);
    t.regex(await read('192.0.2.2', two.netnsPath, 8080), /10\.99\.1\.1$/);
    t.regex(await read('192.0.2.2', one.netnsPath, 8080), /10\.99\.1\.1$/);
    t.regex(await read('192.0.2.2', here, 8081), /192\.0\.2\.2$/);
    await t.throwsAsync(() => read('10.99.1.1', here, 8081));
    const rival = sandbox([port(8080)]);
    const error = await t.throwsAsync(() => addSandboxToNetwork(rival), { instanceOf: CniError });
    t.regex(error.message, /^cannot publish host ports 8080\/tcp: .*File exists/);
    t.is(leased().length, 2);
    t.regex(await read('192.0.2.2', here, 8080), /192\.0\.2\.2$/);
    await removeSandboxFromNetwork({ ...places, sandboxId: one.sandboxId });
    await t.throwsAsync(() => read('192.0.2.2', here, 8080));
    t.is(shell('nft list tables'), '');
    await addSandboxToNetwork(rival);
    await removeSandboxFromNetwork(rival);
    await removeSandboxFromNetwork(two);
  },
);

test.serial('configuration: the first valid file counts, and what is wrong is said', async (t) => {
  const { places } = await node(t);
  const load = () => loadNetworkConfiguration(places.confDir);
  t.is(load().name, 'podwright');
  writeFileSync(join(places.confDir, '00-bad.conflist'), '{');
  t.is(load().name, 'podwright');
  writeFileSync(join(places.confDir, '01-one.conf'), JSON.stringify({ name: 'single', type: 'bridge' }));
  t.deepEqual(load(), {
    name: 'single',
    cniVersion: '0.1.0',
    plugins: [{ name: 'single', type: 'bridge' }],
  });
  const complaint = (content: unknown) => {
    rmSync(places.confDir, { recursive: true });
    mkdirSync(places.confDir);
    if (content !== undefined) writeFileSync(join(places.confDir, 'a.conflist'), JSON.stringify(content));
    return t.throws(load, { instanceOf: CniError })?.message ?? '';
  };
  const start = 'cni plugin not initialized: no';
  t.is(complaint(undefined), `${start} network config found in ${places.confDir}`);
  t.regex(complaint({ plugins: [{ type: 'x' }] }), /no valid networks found in .*: missing network name$/);
  t.regex(complaint({ name: 'x', plugins: [] }), /: no plugins in list$/);
  t.regex(complaint({ name: 'x', plugins: [{ type: '../../bin/sh' }] }), /: every plugin needs a type$/);
  t.regex(complaint([]), /: not a network configuration$/);
});

test.serial('a plugin that is not installed is named', async (t) => {
  const { sandbox, places } = await node(t);
  const one = { ...sandbox(), binDir: '/nowhere' };
  const error = await t.throwsAsync(() => addSandboxToNetwork(one), { instanceOf: CniError });
  t.true(error.message.startsWith('failed to find plugin "bridge" in path [/nowhere]'));
  await removeSandboxFromNetwork({ ...places, sandboxId: one.sandboxId });
});

/** A directory with the real plugins and one of our own, a shell script. */
function withPlugin(dir: string, { name, script }: { name: string; script: string }): string {
  const binDir = join(dir, 'bin');
  mkdirSync(binDir, { recursive: true });
  execFileSync('ln', ['-sf', join(pluginDir, 'bridge'), join(pluginDir, 'host-local'), binDir]);
  writeFileSync(join(binDir, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(binDir, name), 0o755);
  return binDir;
}

function addPlugin(confDir: string, plugin: { type: string }): void {
  const path = join(confDir, '10-podwright.conflist');
  const list = JSON.parse(readFileSync(path, 'utf8')) as { plugins: unknown[] };
  list.plugins.push(plugin);
  writeFileSync(path, JSON.stringify(list));
}

function readCall(line: string): { call: string; input: unknown } {
  const start = line.indexOf('{');
  return { call: line.slice(0, start - 1), input: JSON.parse(line.slice(start)) as unknown };
}
