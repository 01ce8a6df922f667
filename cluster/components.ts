import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { belongingTo } from './belonging.ts';
import { serviceAccountKeys, encryptionKey } from './certificates.ts';
import { readClusterFile, type ClusterFile, type NodeRecord } from './cluster-file.ts';
import { controlPlaneIdentities, nodeIdentities } from './identities.ts';
import { becomeDaemon } from './daemons.ts';
import { enterNodeNetwork } from './enter-node-network.ts';
import { componentLog } from './log.ts';
import { CONTROL_PLANE } from './label-control-plane.ts';
import { clusterPaths, CNI_BIN_DIR, nodePaths } from './paths.ts';
import type { KeyPair } from './certificates.ts';
import { topologyLabels } from './zones.ts';

/** A part that runs; `stop` ends it and leaves what it manages alone. */
interface Running {
  stop(): Promise<void> | void;
}

type Component = 'control-plane' | 'apiserver' | 'controllers' | 'scheduler' | 'storage';
type NodeComponent = 'node-daemon' | 'kubelet' | 'runtime';

/** Runs a part of the control plane in this process until SIGTERM or SIGINT. Modules load only for what is asked. */
export async function runComponent(component: Component, cluster: string): Promise<void> {
  const file = clusterFile(cluster);
  const starts: Record<Component, ((file: ClusterFile) => Promise<Running>)[]> = {
    'control-plane': [startApiServer, startControllers, startScheduler, startStorage],
    apiserver: [startApiServer],
    controllers: [startControllers],
    scheduler: [startScheduler],
    storage: [startStorage],
  };
  becomeDaemon(cluster, component);
  await runUntilSignal(component, starts[component], file);
}

/**
 * Runs a part of a node in this process until SIGTERM or SIGINT: in the node's network namespace, which a process that was started by
 * hand enters first.
 */
export async function runNodeComponent(
  component: NodeComponent,
  cluster: string,
  node: string,
): Promise<void> {
  const file = clusterFile(cluster);
  const record = file.nodes.find(({ name }) => name === node);
  if (record === undefined) {
    throw new Error(
      `cluster '${cluster}' has no node '${node}' (it has ${file.nodes.map(({ name }) => name).join(', ')})`,
    );
  }
  enterNodeNetwork({ cluster, node });
  const starts: Record<NodeComponent, ((file: ClusterFile, node: NodeRecord) => Promise<Running>)[]> = {
    'node-daemon': [startRuntime, startKubelet, startNodeStorage, startLocalProvisioner],
    kubelet: [startKubelet, startNodeStorage, startLocalProvisioner],
    runtime: [startRuntime],
  };
  becomeDaemon(cluster, component === 'node-daemon' ? node : `${node}-${component}`);
  await runUntilSignal(
    node,
    starts[component].map((start) => () => start(file, record)),
    file,
  );
}

async function runUntilSignal(
  name: string,
  starts: ((file: ClusterFile) => Promise<Running>)[],
  file: ClusterFile,
): Promise<void> {
  process.title = `podwright ${name} --name ${file.name}`;
  Object.assign(process.env, belongingTo(file.name)); // for what it starts, where it was started by hand
  const running: Running[] = [];
  for (const start of starts) running.push(await start(file));
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  for (const part of running.toReversed()) await part.stop();
  process.exit(0);
}

function clusterFile(cluster: string): ClusterFile {
  const file = readClusterFile(cluster);
  if (file !== undefined) return file;
  throw new Error(`there is no cluster '${cluster}'; 'podwright up --name ${cluster}' makes it`);
}

async function startApiServer(file: ClusterFile): Promise<Running> {
  const [{ startApiServer: start }, { openEmbeddedStore }] = await Promise.all([
    import('../apiserver/server.ts'),
    import('../store/embedded/open.ts'),
  ]);
  const { store: dir, pki } = clusterPaths(file.name);
  const log = componentLog('apiserver');
  const identities = await controlPlaneIdentities(file);
  const store = openEmbeddedStore({ dir });
  const server = await start({
    store,
    listen: [
      { host: '127.0.0.1', port: file.port },
      { host: file.bridgeIp, port: file.port },
    ],
    pki: {
      caCert: identities.ca.cert,
      serverCert: identities.apiserver.cert,
      serverKey: identities.apiserver.key,
      serviceAccountKey: (await serviceAccountKeys(pki)).privateKey,
      encryptionKey: await encryptionKey(pki),
      kubeletClientCert: identities.kubeletClient.cert,
      kubeletClientKey: identities.kubeletClient.key,
    },
    log,
    // A server that no longer sees what is written must not go on answering.
    onFailure: (error) => {
      log.fatal({ err: error }, 'the store failed');
      process.exit(1);
    },
  });
  return {
    stop: async () => {
      await server.stop();
      await store.close();
    },
  };
}

async function startControllers(file: ClusterFile): Promise<Running> {
  const { startControllers: start } = await import('../controllers/start-controllers.ts');
  const { ca, controllers } = await controlPlaneIdentities(file);
  const client = await clientAs(controllers, { file, ca: ca.cert, host: '127.0.0.1' });
  const { forceDetachAfterSeconds } = file;
  return start({
    client,
    rootCaPem: ca.cert,
    clusterCidr: file.cidr,
    ...(forceDetachAfterSeconds === undefined
      ? {}
      : { attachDetach: { maxWaitForUnmountMs: forceDetachAfterSeconds * 1000 } }),
    log: componentLog('controllers'),
  });
}

async function startScheduler(file: ClusterFile): Promise<Running> {
  const { startScheduler: start } = await import('../scheduler/index.ts');
  const { ca, scheduler } = await controlPlaneIdentities(file);
  const client = await clientAs(scheduler, { file, ca: ca.cert, host: '127.0.0.1' });
  return start({ client, log: componentLog('scheduler') });
}

async function startStorage(file: ClusterFile): Promise<Running> {
  const { startStorage: start } = await import('./storage.ts');
  const { ca, controllers } = await controlPlaneIdentities(file);
  return start(file, await clientAs(controllers, { file, ca: ca.cert, host: '127.0.0.1' }));
}

async function startNodeStorage(file: ClusterFile, node: NodeRecord): Promise<Running> {
  const { startNodeStorage: start } = await import('./storage.ts');
  return start(file, node);
}

async function startLocalProvisioner(file: ClusterFile, node: NodeRecord): Promise<Running> {
  const { startLocalProvisioner: start } =
    await import('../csi/local-provisioner/start-local-provisioner.ts');
  const { caCert, localProvisioner } = await nodeIdentities(file.name, node);
  const discoveryDir = nodePaths(file.name, node.name).localDisks;
  mkdirSync(discoveryDir, { recursive: true, mode: 0o711 });
  return start({
    client: await clientAs(localProvisioner, { file, ca: caCert, host: file.bridgeIp }),
    nodeName: node.name,
    discoveryDir,
    log: componentLog('local-provisioner'),
  });
}

async function startRuntime(file: ClusterFile, node: NodeRecord): Promise<Running> {
  const { startRuntime: start } = await import('../runtime/start-runtime.ts');
  const paths = nodePaths(file.name, node.name);
  const { server } = await nodeIdentities(file.name, node);
  return start({
    stateDir: paths.runtime,
    runDir: paths.run,
    socketPath: paths.criSocket,
    imagesDir: clusterPaths(file.name).images,
    // With the cluster's name, so that `down` finds them.
    cgroupRoot: paths.cgroup,
    cniConfDir: paths.cniConf,
    cniBinDir: CNI_BIN_DIR,
    streamingAddress: node.ip,
    streamingTls: { cert: server.cert, key: server.key },
    log: componentLog('runtime'),
  });
}

async function startKubelet(file: ClusterFile, node: NodeRecord): Promise<Running> {
  const { startKubelet: start } = await import('../kubelet/start-kubelet.ts');
  const paths = nodePaths(file.name, node.name);
  const { caCert, server, client: credentials } = await nodeIdentities(file.name, node);
  const isFirst = node.name === file.nodes[0]?.name;
  return start({
    nodeName: node.name,
    nodeIp: node.ip,
    client: await clientAs(credentials, { file, ca: caCert, host: file.bridgeIp }),
    criSocket: paths.criSocket,
    rootDir: paths.kubelet,
    podCidr: node.podCidr,
    cgroupRoot: paths.cgroup,
    tls: { cert: server.cert, key: server.key, clientCa: caCert },
    staticPodDir: paths.staticPods,
    labels: topologyLabels(node.zone),
    // A cluster of one node runs its Pods there, so only a first node among others is kept free.
    taints: isFirst && file.nodes.length > 1 ? [{ key: CONTROL_PLANE, effect: 'NoSchedule' }] : [],
    log: componentLog('kubelet'),
  });
}

async function clientAs(
  { cert, key }: KeyPair,
  { file, ca, host }: { file: ClusterFile; ca: string; host: string },
) {
  const { createClient } = await import('../client/rest.ts');
  return createClient({ server: `https://${host}:${file.port}`, ca, cert, key });
}
