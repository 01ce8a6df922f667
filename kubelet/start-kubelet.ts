import { mkdir } from 'node:fs/promises';
import { openCgroups } from '../cgroups/index.ts';
import { systemClock } from '../client/clock.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import { nodes } from '../client/resources.ts';
import { composeStorage } from './compose-storage.ts';
import { composePods, configOf, logRootOf } from './compose-pods.ts';
import { createCriClient } from './cri/cri-client.ts';
import type { CriClient } from './cri/cri-client.ts';
import { messageOf } from './cri/cri-error.ts';
import { startGarbageCollection } from './garbage/garbage-collection.ts';
import type { KubeletOptions } from './kubelet-options.ts';
import { keepLease } from './node/lease.ts';
import { readNodeFacts } from './node/node-facts.ts';
import { nodeLabels, reportNode } from './node/node-status.ts';
import { followOwnNode } from './node/own-node.ts';
import { followServices } from './node/service-environment.ts';
import { isStaticPod } from './pod.ts';
import { createPodEvents } from './pod-events.ts';
import { followContainerEvents } from './runtime-status/container-events.ts';
import { startKubeletServer } from './server/server.ts';
import { followSources } from './sources/follow-sources.ts';
import { createMirrorPods } from './sources/mirror-pods.ts';
import { createPodDispatch } from './sources/pod-dispatch.ts';
import type { PodDispatch } from './sources/pod-dispatch.ts';

/** A kubelet that runs. */
export interface Kubelet {
  /** Resolves when the node is registered and its first Pods are known. */
  ready: Promise<void>;
  /** The port of the HTTPS API; 0 without one. */
  port: number;
  /** Stops the kubelet and leaves every Pod running. */
  stop(): Promise<void>;
}

/**
 * Starts the kubelet of one node: registers the node, follows its Pods (API server and static), and runs them by CRI.
 *
 *     sources ─► dispatch ─► one worker per Pod ─► volumes, sandbox, containers (CRI)
 *                               ▲      └────────► status manager ─► API server
 *                               └── container events, probes
 *
 * Containers that run already are taken over as they are.
 */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, nodeName, log } = options;
  const clock = options.clock ?? systemClock;
  const config = configOf(options);
  await Promise.all([
    mkdir(options.rootDir, { recursive: true }),
    mkdir(logRootOf(options), { recursive: true }),
  ]);
  const cri = createCriClient({ socketPath: options.criSocket });
  const recorder = createEventRecorder({
    client,
    clock,
    source: { component: 'kubelet', host: nodeName },
    onError: (error) => log.debug({ error: messageOf(error) }, 'an event was not written'),
  });
  const events = createPodEvents(recorder, nodeName);
  const state = { port: options.port ?? 10_250, healthy: () => true };
  const ownNode = followOwnNode({
    client,
    nodeName,
    onError: (error) => log.warn({ error: messageOf(error) }, 'watch of the own node failed'),
  });
  const storage = composeStorage({
    options,
    clock,
    recorder,
    ownNode,
    tellPod(pod, { type, reason, message }) {
      const known = parts.directory.get(pod.metadata?.uid ?? '');
      if (known) events.pod(known, type, reason, message);
    },
  });
  const { devices } = storage.persistent;
  const facts = await readNodeFacts({
    cri,
    nodeName,
    nodeIp: options.nodeIp,
    rootDir: options.rootDir,
    config,
    port: () => state.port,
    notReady: () => [
      ...(state.healthy() ? [] : ['PLEG is not healthy: the container event stream is down']),
      ...storage.notReady(),
    ],
  });
  const services = followServices({ client, log });
  const parts = composePods({
    options,
    cri,
    events,
    facts,
    services,
    persistent: storage.persistent,
    tree: options.cgroups ?? openCgroups(),
    runtimeName: await runtimeNameOf(cri),
    onForgotten: (pod) => dispatch.forgotten(pod),
    beforeSync: (pod) => {
      if (isStaticPod(pod)) mirrors.ensure(pod);
    },
  });
  const { context, directory, workers, volumes } = parts;
  const labels = nodeLabels({ nodeName, labels: options.labels ?? {} });
  const mirrors = createMirrorPods({
    client,
    directory,
    isEnding: (namespace, name) =>
      workers
        .list()
        .some(
          ({ pod, state }) =>
            isStaticPod(pod) &&
            state !== 'finished' &&
            pod.metadata.namespace === namespace &&
            pod.metadata.name === name,
        ),
    nodeName,
    log,
  });
  const dispatch: PodDispatch = createPodDispatch({
    directory,
    workers,
    mirrors,
    statuses: context.statuses,
    cache: context.cache,
    events,
    onWanted: (pod) => volumes.syncPod(pod),
    allocatable: () => facts.allocatable(),
    // Without an API server it is as this kubelet would register it: static Pods do not wait.
    node: () => ownNode.node() ?? reporter.node() ?? { metadata: { name: nodeName, labels } },
    fetchNode: () => client.resource(nodes).get({ name: nodeName }),
  });
  volumes.reconstruct();
  const podsKnown = Promise.withResolvers<void>();
  const server = options.tls
    ? await startKubeletServer({
        ...options,
        tls: options.tls,
        parts,
        cri,
        facts,
        podsKnown: podsKnown.promise,
      })
    : undefined;
  if (server) state.port = server.port;
  const pleg = followContainerEvents({
    cri,
    cache: context.cache,
    clock,
    log,
    onChange: (uid) => parts.runtimeChanged(uid),
  });
  state.healthy = () => pleg.isHealthy();
  const reporter = reportNode({
    client,
    nodeName,
    labels: options.labels ?? {},
    taints: options.taints ?? [],
    podCidr: options.podCidr,
    clock,
    log,
    events,
    checkMs: config.nodeStatusUpdateFrequencyMs,
    reportMs: config.nodeStatusReportFrequencyMs,
    statusNow: (previous, now) => facts.statusNow(previous, now),
    volumesInUse: (previous) => devices.volumesInUse(previous),
    onStatus: (node) => devices.reportedInUse(node),
  });
  // A volume is staged only after the node has said that it is in use, and detached only after it has said that it isn't.
  devices.onInUseChange(() => reporter.checkVolumesInUse());
  void reporter.registered.then(() => storage.start(() => reporter.check()));
  // A mirror's owner is the Node: those of Pods that ran before it was there could not be made.
  void reporter.registered.then(() => {
    for (const pod of directory.list().filter(isStaticPod)) mirrors.ensure(pod);
  });
  const sources = followSources({ options, parts, dispatch, ready: pleg.ready });
  sources.synced.then(podsKnown.resolve, podsKnown.resolve);
  const ready = Promise.all([reporter.registered, sources.synced]).then(() => undefined);
  // A runtime that came up after the registration makes the node Ready at once.
  void Promise.all([pleg.ready, reporter.registered]).then(() => reporter.check());
  const lease = reporter.registered.then(() =>
    keepLease({ client, nodeName, clock, log, durationSeconds: config.nodeLeaseDurationSeconds }),
  );
  const garbage = startGarbageCollection({ context, config, clock, log });
  events.node('Normal', 'Starting', 'Starting kubelet.');
  // Whoever does not wait for readiness needs no unhandled rejection at stop.
  ready.catch(() => undefined);
  return {
    ready,
    get port() {
      return server ? state.port : 0;
    },
    async stop() {
      garbage.stop();
      pleg.stop();
      reporter.stop();
      workers.stop();
      parts.probes.stop();
      parts.localStorage.stop();
      void lease.then((kept) => kept.stop());
      context.statuses.stop();
      recorder.stop();
      await Promise.all([
        sources.stop(),
        services.stop(),
        volumes.close(),
        storage.stop(),
        ownNode.stop(),
        server?.stop(),
      ]);
      cri.close();
    },
  };
}

/** The scheme of container IDs; a runtime that is not there yet is ours. */
async function runtimeNameOf(cri: CriClient): Promise<string> {
  return cri.call('Version', {}, { timeoutMs: 5000 }).then(
    ({ runtimeName }) => runtimeName,
    () => 'podwright',
  );
}
