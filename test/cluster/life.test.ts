import test from 'ava';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { clientFromKubeconfig } from '../../client/kubeconfig.ts';
import { namespaces, nodes } from '../../client/resources.ts';
import { readClusterFile } from '../../cluster/cluster-file.ts';
import { listDaemons, stopDaemon } from '../../cluster/daemons.ts';
import { down, startCluster } from '../../cluster/index.ts';
import { clusterPaths, nodePaths } from '../../cluster/paths.ts';
import { up } from '../../cluster/up.ts';
import { connectCri } from '../../runtime/cri/client.ts';
import { expectNothingLeft, tracesOf, until } from '../environment.ts';
import { nftTables, traces } from './traces.ts';

const NAME = 'test-life';

test.serial('up makes a cluster whose nodes are Ready, and up again finds nothing to do', async (t) => {
  await using cluster = await startCluster({ name: NAME, nodes: 2 });
  t.deepEqual(cluster.nodes, ['node-1', 'node-2']);
  t.is(cluster.kubeconfig, `/var/lib/podwright/${NAME}/kubeconfig`);

  const client = clientFromKubeconfig(cluster.kubeconfig);
  const { items } = await client.resource(nodes).list();
  t.deepEqual(
    items.map(({ metadata }) => metadata?.name ?? '').toSorted((a, b) => a.localeCompare(b)),
    ['node-1', 'node-2'],
  );
  const taintsOf = (name: string) =>
    items.find(({ metadata }) => metadata?.name === name)?.spec?.taints ?? [];
  t.like(taintsOf('node-1')[0], { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' });
  t.deepEqual(taintsOf('node-2'), []);
  client.close();

  const before = listDaemons(NAME);
  await up({ name: NAME });
  t.deepEqual(listDaemons(NAME), before);
  await t.throwsAsync(up({ name: NAME, nodes: 3 }), {
    message: `--nodes 3: cluster '${NAME}' has 2 node(s); take it down first to change that`,
  });
});

/** As crictl does, which asks for no parent of the cgroup. */
async function makeSandboxByHand(): Promise<string> {
  const cri = connectCri({ socketPath: nodePaths(NAME, 'node-1').criSocket });
  const metadata = { name: 'by-hand', namespace: 'default', uid: 'by-hand', attempt: 0 };
  const { podSandboxId } = await cri.runtime.RunPodSandbox({ config: { metadata } });
  cri.close();
  return podSandboxId;
}

test.serial('down leaves nothing, also after every daemon was killed', async (t) => {
  const cluster = await startCluster({ name: NAME });
  t.true(traces(NAME).length > 0, 'a running cluster has traces to look for');
  const sandboxId = await makeSandboxByHand();
  t.not(tracesOf(sandboxId, ['cgroups']).cgroups, undefined);
  await Promise.all(listDaemons(NAME).map(({ name }) => stopDaemon(NAME, name, { signal: 'SIGKILL' })));
  t.deepEqual(listDaemons(NAME), []);
  await cluster.down();
  // What was killed may be a zombie for a moment, until init has seen it.
  await until('no trace of the cluster', () => traces(NAME).length === 0);
  t.deepEqual(traces(NAME), []);
  await expectNothingLeft(sandboxId);
  t.deepEqual(await nftTables(NAME), []);
  t.deepEqual(await down(NAME), { existed: false });
});

test.serial('two clusters run side by side, and down of one leaves the other alone', async (t) => {
  await using blue = await startCluster({ name: `${NAME}-blue` });
  {
    await using red = await startCluster({ name: `${NAME}-red` });
    t.not(red.server, blue.server);
    t.not(readClusterFile(red.name)?.cidr, readClusterFile(blue.name)?.cidr);
  }
  await until('no trace of red', () => traces(`${NAME}-red`).length === 0);
  const client = clientFromKubeconfig(blue.kubeconfig);
  const { items } = await client.resource(nodes).list();
  t.is(items[0]?.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  client.close();
});

test.serial(
  'what was acknowledged is there after SIGKILL of the control plane, and versions go on',
  async (t) => {
    await using cluster = await startCluster({ name: NAME });
    const client = clientFromKubeconfig(cluster.kubeconfig);
    const made = await client.resource(namespaces).create({ object: { metadata: { name: 'kept' } } });
    client.close();
    await stopDaemon(NAME, 'control-plane', { signal: 'SIGKILL' });
    await up({ name: NAME });
    const again = clientFromKubeconfig(cluster.kubeconfig);
    const kept = await again.resource(namespaces).get({ name: 'kept' });
    t.is(kept.metadata?.uid, made.metadata?.uid);
    const next = await again.resource(namespaces).create({ object: { metadata: { name: 'later' } } });
    t.true(Number(next.metadata?.resourceVersion) > Number(made.metadata?.resourceVersion));
    again.close();
  },
);

test.serial('keys are readable by root alone', async (t) => {
  await using cluster = await startCluster({ name: NAME });
  const { pki } = clusterPaths(cluster.name);
  const secret = readdirSync(pki).filter((file) => file.endsWith('.key'));
  t.true(secret.length >= 6);
  for (const path of [...secret.map((file) => join(pki, file)), cluster.kubeconfig]) {
    t.is(statSync(path).mode & 0o077, 0, path);
  }
});
