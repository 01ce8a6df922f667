import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { run } from '../../linux/command.ts';
import { deleteNetworkNamespace, insideNetworkNamespace } from '../../linux/namespaces.ts';
import { createClusterNetwork, removeClusterNetwork } from '../../network/cluster-network.ts';
import { nodeNetnsPath, vethName } from '../../network/names.ts';
import { createNodeNetwork } from '../../network/node-network.ts';
import { enterFreshHost, hostNetwork, inNetns, shell, uplinkForwarding } from './host-network.ts';
import { patience } from '../environment.ts';

enterFreshHost();
const before = hostNetwork();

const makeCluster = async (cluster: string, nodes = 2) => {
  const network = await createClusterNetwork({ cluster });
  const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`);
  const made = await Promise.all(names.map((node) => createNodeNetwork({ network, node })));
  return { network, nodes: made };
};

// One after the other: each test looks at the whole host's network.
test.serial("nodes reach each other, the host, and each other's Pods by IP", async (t) => {
  const { network, nodes } = await makeCluster('ss-reach', 3);
  t.deepEqual(network.warnings, []);
  const [first, second] = nodes;
  if (first === undefined || second === undefined) return t.fail();
  // A Pod is played by an address on a bridge in the node's namespace.
  inNetns(
    second.netnsPath,
    'ip link add pod0 type bridge && ip address add 10.244.2.7/24 dev pod0 && ip link set pod0 up',
  );
  const podServer = insideNetworkNamespace(second.netnsPath, () =>
    createServer((socket) => socket.end('pod')).listen(8080),
  );
  const hostServer = createServer((socket) => socket.end('host')).listen(0, network.hostIp);
  await Promise.all(
    [podServer, hostServer].map(async (server) => server.listening || once(server, 'listening')),
  );
  const read = (host: string, port: number) =>
    `timeout ${5 * patience} bash -c 'cat < /dev/tcp/${host}/${port}'`;
  t.is(await within(first.netnsPath, read('10.244.2.7', 8080)), 'pod');
  t.is(await within(first.netnsPath, read(second.ip, 8080)), 'pod');
  t.is(
    await within(first.netnsPath, read(network.hostIp, (hostServer.address() as AddressInfo).port)),
    'host',
  );
  t.is(await within('/proc/self/ns/net', read('10.244.2.7', 8080)), 'pod');
  podServer.close();
  hostServer.close();
  await removeClusterNetwork({ cluster: 'ss-reach' });
  t.deepEqual(hostNetwork(), before);
  return undefined;
});

test.serial('two clusters made at once do not collide, and each removes only its own', async (t) => {
  const [one, two] = await Promise.all([makeCluster('ss-a', 1), makeCluster('ss-a-b', 1)]);
  t.not(one.network.cidr, two.network.cidr);
  t.is(readFileSync(uplinkForwarding, 'utf8').trim(), '1');
  await removeClusterNetwork({ cluster: 'ss-a' });
  const left = hostNetwork();
  t.true(left.links.includes(two.network.bridge));
  t.false(left.links.includes(one.network.bridge));
  t.true(left.rules.includes('table ip podwright-ss-a-b {'));
  t.false(left.rules.includes('table ip podwright-ss-a {'));
  t.deepEqual(left.namespaces, ['podwright-ss-a-b-node-1']);
  t.is(readFileSync(uplinkForwarding, 'utf8').trim(), '1');
  await removeClusterNetwork({ cluster: 'ss-a-b' });
  t.deepEqual(hostNetwork(), before);
});

test.serial('what was forwarding before forwards afterwards', async (t) => {
  writeFileSync(uplinkForwarding, '1');
  await makeCluster('ss-fwd', 1);
  await removeClusterNetwork({ cluster: 'ss-fwd' });
  t.is(readFileSync(uplinkForwarding, 'utf8').trim(), '1');
  writeFileSync(uplinkForwarding, '0');
  t.deepEqual(hostNetwork(), before);
});

test.serial('an uplink is not ours once the host forwards itself, as it does for Docker', async (t) => {
  const ipForward = '/proc/sys/net/ipv4/ip_forward';
  await makeCluster('ss-late', 1);
  t.regex(shell('nft list table ip podwright-ss-late'), /elements = \{ "up0" \}/);
  writeFileSync(ipForward, '1'); // also switches on every interface
  await makeCluster('ss-later', 1);
  t.notRegex(shell('nft list table ip podwright-ss-later'), /up0/);
  await makeCluster('ss-late', 1);
  t.notRegex(shell('nft list table ip podwright-ss-late'), /up0/);
  await removeClusterNetwork({ cluster: 'ss-late' });
  t.is(readFileSync(uplinkForwarding, 'utf8').trim(), '1');
  writeFileSync(ipForward, '0');
  await makeCluster('ss-late', 1);
  writeFileSync(ipForward, '1');
  await removeClusterNetwork({ cluster: 'ss-late' });
  t.is(readFileSync(uplinkForwarding, 'utf8').trim(), '1', 'nor at down, with no up in between');
  await removeClusterNetwork({ cluster: 'ss-later' });
  writeFileSync(ipForward, '0');
  t.deepEqual(hostNetwork(), before);
});

test.serial('an uplink that does not forward on a host that does is told, and stays as it is', async (t) => {
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync(uplinkForwarding, '0');
  const { network } = await makeCluster('ss-closed', 1);
  t.deepEqual(network.warnings, [
    `Pods get no answers from beyond up0, which does not forward though the host does: sysctl ${uplinkForwarding} is 0`,
  ]);
  t.is(readFileSync(uplinkForwarding, 'utf8').trim(), '0');
  await removeClusterNetwork({ cluster: 'ss-closed' });
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
  t.deepEqual(hostNetwork(), before);
});

test.serial('making it again changes nothing, and keeps the connections of what runs', async (t) => {
  const { network, nodes } = await makeCluster('ss-again');
  const state = () =>
    hostNetwork().links + nodes.map(({ netnsPath }) => inNetns(netnsPath, 'ip -o link; ip route')).join('');
  const first = state();
  const again = await createClusterNetwork({ cluster: 'ss-again', cidr: network.cidr });
  t.deepEqual(again, network);
  await Promise.all(nodes.map(({ node }) => createNodeNetwork({ network: again, node })));
  t.is(state(), first);
  await removeClusterNetwork({ cluster: 'ss-again' });
});

test.serial('what was half made is completed, and also removed', async (t) => {
  const { network } = await makeCluster('ss-half');
  const [one, two] = ['node-1', 'node-2'].map((node) => nodeNetnsPath({ cluster: 'ss-half', node }));
  if (one === undefined || two === undefined) return t.fail();
  // Killed: between the namespace's file and its binding, before the default route, before the veth was enslaved.
  shell(`ip link delete ${vethName('ss-half', 1)}; umount ${one}`);
  inNetns(two, 'ip route delete default');
  shell(`ip link set ${vethName('ss-half', 2)} nomaster`);
  shell(`ip address flush dev ${network.bridge}; nft delete table ip podwright-ss-half`);
  const { nodes } = await makeCluster('ss-half');
  t.is(
    inNetns(two, `timeout ${5 * patience} bash -c '</dev/tcp/${network.hostIp}/9' 2>&1 || true`).includes(
      'refused',
    ),
    true,
  );
  t.is(nodes.length, 2);
  // And gone in parts before the removal.
  shell(`ip link delete ${network.bridge}; umount ${one}; nft delete table ip podwright-ss-half`);
  await removeClusterNetwork({ cluster: 'ss-half' });
  await removeClusterNetwork({ cluster: 'ss-half' });
  writeFileSync(uplinkForwarding, '0');
  t.deepEqual(hostNetwork(), before);
  return undefined;
});

test.serial('a namespace that a process still holds leaves nothing on the host', async (t) => {
  const { nodes } = await makeCluster('ss-held', 1);
  const path = nodes[0]?.netnsPath ?? '';
  const server = insideNetworkNamespace(path, () => createServer().listen(0));
  await once(server, 'listening');
  await removeClusterNetwork({ cluster: 'ss-held' });
  t.deepEqual(hostNetwork(), before);
  server.close();
});

test.serial('a network that is taken is refused with its name', async (t) => {
  shell('ip route add 10.200.7.0/24 via 192.0.2.9');
  await t.throwsAsync(() => createClusterNetwork({ cluster: 'ss-taken', cidr: '10.200.0.0/16' }), {
    message: "the cluster's network 10.200.0.0/16 collides with a route of this host",
  });
  shell('ip route delete 10.200.7.0/24');
  t.deepEqual(hostNetwork(), before);
});

test.serial("Pods leave the cluster with the host's address; nobody comes in to them", async (t) => {
  const { network, nodes } = await makeCluster('ss-out', 1);
  const node = nodes[0];
  if (node === undefined) return t.fail();
  // The world: a namespace on the other side of the uplink.
  const world = '/run/netns/podwright-ss-world';
  shell('ip link delete up0; ip netns add podwright-ss-world');
  shell('ip link add up0 type veth peer name far0 netns podwright-ss-world && ip link set up0 up');
  shell('ip address add 192.0.2.2/24 dev up0 && ip route add default via 192.0.2.1');
  inNetns(world, 'ip link set lo up; ip address add 192.0.2.1/24 dev far0; ip link set far0 up');
  inNetns(world, `ip route add ${network.cidr} via 192.0.2.2; ip address add 198.51.100.1/32 dev lo`);
  await createClusterNetwork({ cluster: 'ss-out' });
  const server = insideNetworkNamespace(world, () =>
    createServer((socket) => socket.end(String(socket.remoteAddress))).listen(8080),
  );
  const nodeServer = insideNetworkNamespace(node.netnsPath, () =>
    createServer((socket) => socket.end('in')).listen(8080),
  );
  await Promise.all([server, nodeServer].map(async (one) => one.listening || once(one, 'listening')));
  const seen = await within(
    node.netnsPath,
    `timeout ${5 * patience} bash -c 'cat < /dev/tcp/198.51.100.1/8080'`,
  );
  t.regex(seen, /192\.0\.2\.2$/);
  // Somebody else's machine on this host, as Docker's are: it begins to talk after the cluster came up, and gets its answers.
  const guest = '/run/netns/podwright-ss-guest';
  shell(
    'ip netns add podwright-ss-guest && ip link add gu0 type veth peer name eth0 netns podwright-ss-guest',
  );
  shell('ip address add 172.31.0.1/24 dev gu0 && ip link set gu0 up');
  inNetns(
    guest,
    'ip address add 172.31.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 172.31.0.1',
  );
  inNetns(world, 'ip route add 172.31.0.0/24 via 192.0.2.2');
  writeFileSync('/proc/sys/net/ipv4/conf/gu0/forwarding', '1');
  t.regex(
    await within(guest, `timeout ${5 * patience} bash -c 'cat < /dev/tcp/198.51.100.1/8080'`),
    /172\.31\.0\.2$/,
  );
  await t.throwsAsync(() => within(world, "timeout 1 bash -c 'cat < /dev/tcp/172.31.0.2/9'"), {
    message: /exit code 124|timed out/i,
  });
  // But where it is published on a port of the host, it is reached by that, as Docker has it that was started after the cluster.
  const guestServer = insideNetworkNamespace(guest, () =>
    createServer((socket) => socket.end('guest')).listen(8080),
  );
  if (!guestServer.listening) await once(guestServer, 'listening');
  shell(`nft 'table ip publishing { chain prerouting { type nat hook prerouting priority dstnat;
    iifname "up0" tcp dport 8088 dnat to 172.31.0.2:8080; }; }'`);
  t.is(await within(world, `timeout ${5 * patience} bash -c 'cat < /dev/tcp/192.0.2.2/8088'`), 'guest');
  shell('nft delete table ip publishing');
  guestServer.close();
  shell('ip netns delete podwright-ss-guest');
  const intruder = within(world, `timeout 1 bash -c 'cat < /dev/tcp/${node.ip}/8080'`);
  await t.throwsAsync(() => intruder);
  server.close();
  nodeServer.close();
  await removeClusterNetwork({ cluster: 'ss-out' });
  t.is(readFileSync(uplinkForwarding, 'utf8').trim(), '0');
  t.is(shell('nft list ruleset'), '');
  shell('ip netns delete podwright-ss-world');
  return undefined;
});

test.after.always('nothing is left', () => {
  const left = readdirSync('/run/netns').filter((name) => name.startsWith('podwright-ss-'));
  for (const name of left) deleteNetworkNamespace(`/run/netns/${name}`);
});

/** Runs a shell command in a namespace without holding up this process, whose servers have to answer it. */
async function within(netnsPath: string, command: string): Promise<string> {
  return (await run('nsenter', [`--net=${netnsPath}`, '--', '/bin/bash', '-c', command])).stdout;
}
