import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Secret } from '../api/types.ts';
import { systemClock } from '../client/clock.ts';
import type { Clock } from '../client/clock.ts';
import { isNotFound } from '../client/errors.ts';
import { createKeyedBackOff } from './back-off.ts';
import type { ContainerPlace } from './containers/start-container.ts';
import type { CriClient } from './cri/cri-client.ts';
import { createSlots } from './cri/slots.ts';
import { makeEnvironment } from './environment/make-environment.ts';
import { localStorageUsage } from './eviction/local-storage-usage.ts';
import { watchLocalStorage } from './eviction/watch-local-storage.ts';
import type { LocalStorageWatcher } from './eviction/watch-local-storage.ts';
import { createImageManager } from './images/ensure-image.ts';
import { pullImageVolumes } from './images/image-volumes.ts';
import { containerType, createKubeletCounters } from './kubelet-counters.ts';
import type { KubeletCounters } from './kubelet-counters.ts';
import { defaultConfig } from './kubelet-options.ts';
import type { KubeletConfig, KubeletOptions } from './kubelet-options.ts';
import { resourceList } from './node/machine.ts';
import type { NodeFacts } from './node/node-facts.ts';
import type { ServiceEnvironment } from './node/service-environment.ts';
import type { PodEvents } from './pod-events.ts';
import type { KubeletPod } from './pod.ts';
import { createProbeManager } from './probes/probe-manager.ts';
import type { ProbeManager } from './probes/probe-manager.ts';
import type { CgroupTree } from './resources/pod-cgroups.ts';
import { createPodCgroups } from './resources/pod-cgroups.ts';
import { createPodCache } from './runtime-status/pod-cache.ts';
import { runtimeHandlerOf } from './sandbox/runtime-handler.ts';
import { sandboxConfig } from './sandbox/sandbox-config.ts';
import type { DnsSettings } from './sandbox/dns.ts';
import { createPodDirectory } from './sources/pod-directory.ts';
import type { PodDirectory } from './sources/pod-directory.ts';
import { createStartFailures } from './status/start-failures.ts';
import { createStatusManager } from './status/status-manager.ts';
import { createTerminationMessages } from './status/termination-message.ts';
import type { PodSyncContext } from './sync/sync-context.ts';
import { syncPod } from './sync/sync-pod.ts';
import { forgetPod, removeFromRuntime, syncTerminated } from './sync/sync-terminated.ts';
import { syncTerminating } from './sync/sync-terminating.ts';
import { tellProbeResults, tellStatus } from './sync/tell-status.ts';
import type { PersistentVolumes } from './volumes/persistent-volumes.ts';
import { createVolumeManager } from './volumes/volume-manager.ts';
import type { VolumeManager } from './volumes/volume-manager.ts';
import { createPodWorkers } from './workers/pod-workers.ts';
import type { PodWorkers } from './workers/pod-workers.ts';

/** The machinery of Pods, put together; nothing moves before a Pod is dispatched. */
export interface PodParts {
  context: PodSyncContext;
  directory: PodDirectory;
  workers: PodWorkers;
  probes: ProbeManager;
  volumes: VolumeManager;
  localStorage: LocalStorageWatcher;
  counters: KubeletCounters;
  /** Tells of each change of the Pod in the runtime. */
  onRuntimeChange(uid: string, listener: () => void): Disposable;
  /** To be called when the runtime's picture of the Pod has changed. */
  runtimeChanged(uid: string): void;
}

export interface ComposeInput {
  options: KubeletOptions;
  cri: CriClient;
  events: PodEvents;
  facts: NodeFacts;
  services: ServiceEnvironment;
  /** Without it there are no persistent volumes. */
  persistent?: PersistentVolumes | undefined;
  tree: CgroupTree;
  runtimeName: string;
  /** A Pod is over and every trace of it removed. */
  onForgotten(pod: KubeletPod): void;
  /** Before each sync of a Pod. */
  beforeSync: (pod: KubeletPod) => void;
}

export const logRootOf = ({ logDir, rootDir }: KubeletOptions): string =>
  logDir ?? join(dirname(rootDir), 'logs', 'pods');

export const configOf = ({ config }: KubeletOptions): KubeletConfig => ({ ...defaultConfig, ...config });

export function composePods(input: ComposeInput): PodParts {
  const { options, cri, events, facts, tree } = input;
  const { client, log, nodeIp, rootDir } = options;
  const clock: Clock = options.clock ?? systemClock;
  const config = configOf(options);
  const directory = createPodDirectory();
  const listeners = createRuntimeListeners();
  const cache = createPodCache({ cri, onInspected: (uid) => listeners.tell(uid) });
  const counters = createKubeletCounters();
  const failures = createStartFailures();
  const images = createImageManager({ cri, clock });
  const folders = {
    pods: join(rootDir, 'pods'),
    logs: logRootOf(options),
    seccomp: join(rootDir, 'seccomp'),
  };
  const cgroups = createPodCgroups({
    tree,
    root: options.cgroupRoot,
    allocatableMilliCpu: facts.allocatable()['cpu'] ?? 0,
    ...(config.podPidsLimit > 0 ? { podPidsLimit: config.podPidsLimit } : {}),
  });
  const volumes = createVolumeManager({
    rootDir,
    client,
    clock,
    log,
    ...(input.persistent ? { persistent: input.persistent } : {}),
    onProcessed: (uid) => workers.wake(uid),
    nodeAllocatable: () => resourceList(facts.allocatable()),
    recordEvent({ pod, type, reason, message }) {
      const known = directory.get(pod.metadata?.uid ?? '');
      if (known) events.pod(known, type, reason, message);
    },
  });
  const localStorage = watchLocalStorage({
    clock,
    log,
    measure: (pod) => localStorageUsage({ cri, cache, folders, mounted: (uid) => volumes.mounted(uid) }, pod),
    onExcess(pod, { signal, message }) {
      // One that ends already is not evicted.
      if (workers.get(pod.metadata.uid)?.state !== 'syncing') return;
      const reason = 'Evicted';
      events.pod(pod, 'Warning', reason, message);
      workers.fail(pod, { reason, message }, 1);
      counters.evictions.inc({ eviction_signal: signal });
    },
  });
  const statuses = createStatusManager({
    client,
    clock,
    log,
    apiPod: (uid) => directory.apiPod(uid),
    couldHaveRunningContainers: (uid) => workers.couldHaveRunningContainers(uid),
    onContainerEnd: ({ kind, exitCode, reason }) =>
      counters.terminatedContainers.inc({
        container_type: containerType(kind),
        exit_code: String(exitCode),
        reason,
      }),
  });
  const probes = createProbeManager({
    cri,
    clock,
    events,
    startedAtMs: clock.now(),
    podOf: (uid) => workers.get(uid)?.pod,
    statusOf: (uid) => statuses.get(uid),
    onChange(uid) {
      const pod = workers.get(uid)?.pod;
      if (pod) tellProbeResults(context, pod);
      workers.wake(uid);
    },
  });
  const dns = dnsSettings(options, config);
  const context: PodSyncContext = {
    cri,
    clock,
    log,
    events,
    cache,
    cgroups,
    volumes,
    localStorage,
    probes,
    images,
    statuses,
    folders,
    statusContext: {
      nodeIp,
      runtimeName: input.runtimeName,
      failures,
      readiness: probes,
      terminationMessage: createTerminationMessages(),
    },
    containers: {
      cri,
      clock,
      events,
      log,
      images,
      counters,
      folders,
      failures,
      probes,
      crashLoop: createKeyedBackOff({ clock, capMs: config.crashLoopBackOffMaxMs, forgetMs: 600_000 }),
      clusterDomain: dns.clusterDomain,
      memoryCapacityBytes: facts.machine.memoryBytes,
      environmentOf: (place) => environmentOf(input, volumes, place),
      async mountsFor({ pod, container, signal }, environment) {
        const about = { pod, events, images, signal, pullSecretsOf: () => pullSecretsOf(volumes, pod) };
        const imageVolumes = await pullImageVolumes(about, container);
        return volumes.mountsFor({ pod, container, environment, imageVolumes });
      },
      devicesFor: ({ pod, container }) => volumes.devicesFor({ pod, container }),
      volumeGroupsOf: (pod) => volumes.groupsFor(pod),
      pullSecretsOf: (pod) => pullSecretsOf(volumes, pod),
      beforePull: (pod) => void tellStatus(context, pod),
      sandboxConfigOf: (pod, attempt) =>
        sandboxConfig({
          pod,
          attempt,
          cgroupParent: cgroups.pathOf(pod),
          logRoot: folders.logs,
          dns,
          volumeGroups: volumes.groupsFor(pod),
        }),
      runtimeHandlerOf: (pod) => runtimeHandlerOf(client, pod),
      sandboxSlots: createSlots(2 * availableParallelism()),
      isTerminating: (uid) => (workers.get(uid)?.state ?? 'finished') !== 'syncing',
      seenOf: (uid) => cache.get(uid),
    },
    fail: (pod, failure) => workers.fail(pod, failure),
    beforeSync: input.beforeSync,
    markStopped: (uid) => workers.markStopped(uid),
  };
  const workers: PodWorkers = createPodWorkers({
    clock,
    log,
    steps: {
      syncPod: (pod, signal) => syncPod(context, pod, signal),
      syncTerminating: (pod, how) => syncTerminating(context, pod, how),
      syncTerminated: (pod) => syncTerminated(context, pod),
    },
    async cleanUpDeleted(pod) {
      await removeFromRuntime(context, pod.metadata.uid);
      statuses.finish(pod);
    },
    forget: (pod) => forgetPod(context, pod),
    onForgotten: (pod) => input.onForgotten(pod),
  });
  return {
    context,
    directory,
    workers,
    probes,
    volumes,
    localStorage,
    counters,
    onRuntimeChange: (uid, listener) => listeners.add(uid, listener),
    runtimeChanged(uid) {
      workers.wake(uid);
      listeners.tell(uid);
    },
  };
}

/** Those who follow a Pod's containers besides its worker, such as readers of its logs. */
function createRuntimeListeners() {
  const listeners = new Map<string, Set<() => void>>();
  return {
    add(uid: string, listener: () => void): Disposable {
      const ofPod = listeners.get(uid) ?? new Set();
      listeners.set(uid, ofPod.add(listener));
      return {
        [Symbol.dispose]() {
          ofPod.delete(listener);
          if (ofPod.size === 0) listeners.delete(uid);
        },
      };
    },
    tell(uid: string) {
      for (const listener of listeners.get(uid) ?? []) listener();
    },
  };
}

const dnsSettings = (options: KubeletOptions, config: KubeletConfig): DnsSettings => ({
  clusterDns: options.clusterDns ?? [],
  clusterDomain: options.clusterDomain ?? 'cluster.local',
  resolverConfig: config.resolvConf,
});

async function environmentOf(
  { options, facts, services }: ComposeInput,
  volumes: VolumeManager,
  { pod, container, podIps }: ContainerPlace,
) {
  return makeEnvironment({
    pod,
    container,
    podIps,
    hostIps: [options.nodeIp],
    nodeAllocatable: resourceList(facts.allocatable()),
    getConfigMap: (namespace, name) => volumes.objects.getConfigMap(namespace, name),
    getSecret: (namespace, name) => volumes.objects.getSecret(namespace, name),
    serviceEnvironment: await services.of(pod),
    readVolumeFile: (volumeName, path) => volumes.readVolumeFile(pod, volumeName, path),
  });
}

/** The pull secrets there are; a missing one is left out, and the pull says what it lacks. */
async function pullSecretsOf(volumes: VolumeManager, { metadata, spec }: KubeletPod): Promise<Secret[]> {
  const found = await Promise.all(
    (spec.imagePullSecrets ?? []).map(({ name = '' }) =>
      volumes.objects.getSecret(metadata.namespace, name).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    ),
  );
  return found.filter((secret) => secret !== undefined);
}
