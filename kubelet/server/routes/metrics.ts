import { availableParallelism, totalmem } from 'node:os';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type * as cri from '../../../runtime/cri/types.ts';
import { labelNames } from '../../containers/labels.ts';
import { kubeletVersion } from '../../node/machine.ts';
import type { VolumeStats } from '../../volumes/stats.ts';
import type { RouteRequest } from '../server.ts';
import { machineUse, podUses } from '../stats.ts';

const processRegistry = new Registry();
collectDefaultMetrics({ register: processRegistry });

/** The kubelet's own metrics. */
export async function metrics(request: RouteRequest): Promise<void> {
  const registry = new Registry();
  const { cache } = request.options.parts.context;
  const states = new Map<string, number>();
  for (const { containers } of cache.all()) {
    for (const { state } of containers) states.set(state, (states.get(state) ?? 0) + 1);
  }
  addMetric(registry, 'kubelet_running_pods', 'Number of pods that have a running pod sandbox', [
    { value: cache.all().filter(({ sandboxes }) => sandboxes[0]?.state === 'SANDBOX_READY').length },
  ]);
  addMetric(
    registry,
    'kubelet_running_containers',
    'Number of containers currently running',
    [...states].map(([container_state, value]) => ({ labels: { container_state }, value })),
  );
  addMetric(registry, 'kubelet_node_name', "The node's name. The count is always 1.", [
    { labels: { node: request.options.nodeName }, value: 1 },
  ]);
  addMetric(registry, 'kubernetes_build_info', 'A metric with a constant 1 value labeled by version.', [
    { labels: { git_version: kubeletVersion, major: '1', minor: '36' }, value: 1 },
  ]);
  addVolumeCounts(registry, request);
  await addVolumeMetrics(registry, request);
  await send(request, Registry.merge([registry, request.options.parts.counters.registry, processRegistry]));
}

/** How many volumes there are, and how many there should be (upstream: volumemanager/metrics). */
function addVolumeCounts(registry: Registry, { options }: RouteRequest): void {
  const standings = options.parts.volumes.standings();
  const count = (state: string, volumes: { pluginName: string }[]) =>
    Object.entries(Object.groupBy(volumes, ({ pluginName }) => pluginName)).map(([plugin_name, those]) => ({
      labels: { plugin_name, state },
      value: those?.length ?? 0,
    }));
  addMetric(registry, 'volume_manager_total_volumes', 'Number of volumes in Volume Manager', [
    ...count(
      'actual_state_of_world',
      standings.filter(({ isThere }) => isThere),
    ),
    ...count(
      'desired_state_of_world',
      standings.filter(({ isWanted }) => isWanted),
    ),
  ]);
}

/** How full and how healthy the volumes behind claims are, each claim once. */
async function addVolumeMetrics(registry: Registry, { options }: RouteRequest): Promise<void> {
  const { volumes, directory } = options.parts;
  const ofPods = await Promise.all(
    directory.list().map(({ metadata }) => volumes.statsFor(metadata.uid, { claimsOnly: true })),
  );
  const claims = new Map(
    ofPods.flat().flatMap((stats) => {
      const { pvcRef } = stats;
      return pvcRef === undefined ? [] : [[`${pvcRef.namespace}/${pvcRef.name}`, { ...stats, pvcRef }]];
    }),
  );
  type ClaimStats = VolumeStats & { pvcRef: { name: string; namespace: string } };
  const each = (name: string, help: string, value: (stats: ClaimStats) => number | undefined) =>
    addMetric(
      registry,
      `kubelet_volume_stats_${name}`,
      help,
      [...claims.values()].flatMap((stats) => {
        const { namespace, name: claim } = stats.pvcRef;
        const sample = value(stats);
        return sample === undefined
          ? []
          : [{ labels: { namespace, persistentvolumeclaim: claim }, value: sample }];
      }),
    );
  each('capacity_bytes', 'Capacity in bytes of the volume', (stats) => stats.capacityBytes);
  each('available_bytes', 'Number of available bytes in the volume', (stats) => stats.availableBytes);
  each('used_bytes', 'Number of used bytes in the volume', (stats) => stats.usedBytes);
  each('inodes', 'Maximum number of inodes in the volume', (stats) => stats.inodes);
  each('inodes_free', 'Number of free inodes in the volume', (stats) => stats.inodesFree);
  each('inodes_used', 'Number of used inodes in the volume', (stats) => stats.inodesUsed);
  each(
    'health_status_abnormal',
    'Abnormal volume health status. The count is either 1 or 0. 1 indicates the volume is unhealthy, 0 indicates volume is healthy',
    ({ volumeHealthStats }) => volumeHealthStats && Number(volumeHealthStats.abnormal),
  );
}

/** CPU and memory of node, Pods and containers, for the metrics API. */
export async function resourceMetrics(request: RouteRequest): Promise<void> {
  const registry = new Registry();
  const uses = await podUses(request.options);
  const machine = machineUse();
  const containers = uses.flatMap((use) =>
    use.containers.map((stats) => ({ stats, labels: labelsOf(stats) })),
  );
  addMetric(
    registry,
    'container_cpu_usage_seconds_total',
    'Cumulative cpu time consumed by the container in core-seconds',
    containers.map(({ stats, labels }) => ({ labels, value: seconds(stats.cpu) })),
  );
  addMetric(
    registry,
    'container_memory_working_set_bytes',
    'Current working set of the container in bytes',
    containers.map(({ stats, labels }) => ({ labels, value: stats.memory?.workingSetBytes?.value ?? 0 })),
  );
  addMetric(
    registry,
    'node_cpu_usage_seconds_total',
    'Cumulative cpu time consumed by the node in core-seconds',
    [{ value: machine.cpuNanoseconds / 1e9 }],
  );
  addMetric(registry, 'node_memory_working_set_bytes', 'Current working set of the node in bytes', [
    { value: machine.memoryWorkingSetBytes },
  ]);
  const pods = uses.map(({ stats }) => ({
    stats,
    labels: {
      namespace: stats.attributes?.metadata?.namespace ?? '',
      pod: stats.attributes?.metadata?.name ?? '',
    },
  }));
  addMetric(
    registry,
    'pod_cpu_usage_seconds_total',
    'Cumulative cpu time consumed by the pod in core-seconds',
    pods.map(({ stats, labels }) => ({ labels, value: seconds(stats.linux?.cpu) })),
  );
  addMetric(
    registry,
    'pod_memory_working_set_bytes',
    'Current working set of the pod in bytes',
    pods.map(({ stats, labels }) => ({ labels, value: stats.linux?.memory?.workingSetBytes?.value ?? 0 })),
  );
  addMetric(
    registry,
    'resource_scrape_error',
    '1 if there was an error while getting container metrics, 0 otherwise',
    [{ value: 0 }],
  );
  await send(request, registry);
}

/** The best known of cAdvisor's metrics. */
export async function cadvisorMetrics(request: RouteRequest): Promise<void> {
  const registry = new Registry();
  const uses = await podUses(request.options);
  const containers = uses.flatMap((use) =>
    use.containers.map((stats) => ({
      stats,
      labels: { ...labelsOf(stats), id: stats.attributes?.id ?? '', name: stats.attributes?.id ?? '' },
    })),
  );
  const each = (name: string, help: string, value: (stats: cri.ContainerStats) => number) =>
    addMetric(
      registry,
      name,
      help,
      containers.map(({ stats, labels }) => ({ labels, value: value(stats) })),
    );
  each('container_cpu_usage_seconds_total', 'Cumulative cpu time consumed in seconds.', ({ cpu }) =>
    seconds(cpu),
  );
  each(
    'container_memory_usage_bytes',
    'Current memory usage in bytes.',
    ({ memory }) => memory?.usageBytes?.value ?? 0,
  );
  each(
    'container_memory_working_set_bytes',
    'Current working set in bytes.',
    ({ memory }) => memory?.workingSetBytes?.value ?? 0,
  );
  each('container_memory_rss', 'Size of RSS in bytes.', ({ memory }) => memory?.rssBytes?.value ?? 0);
  each(
    'container_fs_usage_bytes',
    'Number of bytes that are consumed by the container on this filesystem.',
    ({ writableLayer }) => writableLayer?.usedBytes?.value ?? 0,
  );
  addMetric(registry, 'machine_cpu_cores', 'Number of logical CPU cores.', [
    { value: availableParallelism() },
  ]);
  addMetric(registry, 'machine_memory_bytes', 'Amount of memory installed on the machine.', [
    { value: totalmem() },
  ]);
  await send(request, registry);
}

export async function probeMetrics(request: RouteRequest): Promise<void> {
  const registry = new Registry();
  const counts = request.options.parts.probes.counts();
  const titles = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' };
  addMetric(
    registry,
    'prober_probe_total',
    'Cumulative number of a liveness, readiness or startup probe for a container by result.',
    counts.map(({ type, count, container, pod, namespace, podUid, result }) => ({
      labels: { probe_type: titles[type], container, pod, namespace, pod_uid: podUid, result },
      value: count,
    })),
  );
  await send(request, registry);
}

const seconds = (cpu: cri.CpuUsage | null | undefined): number =>
  (cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9;

const labelsOf = ({ attributes }: cri.ContainerStats) => ({
  container: attributes?.labels[labelNames.containerName] ?? '',
  namespace: attributes?.labels[labelNames.podNamespace] ?? '',
  pod: attributes?.labels[labelNames.podName] ?? '',
});

/** Adds one metric with its samples: a counter when its name says so, else a gauge; without samples it is left out. */
function addMetric(
  registry: Registry,
  name: string,
  help: string,
  samples: { labels?: Record<string, string>; value: number }[],
): void {
  const [first] = samples;
  if (!first) return;
  const configuration = { name, help, labelNames: Object.keys(first.labels ?? {}), registers: [registry] };
  const counter = name.endsWith('_total') ? new Counter(configuration) : undefined;
  const metric = counter ? undefined : new Gauge(configuration);
  for (const { labels = {}, value } of samples) {
    counter?.inc(labels, value);
    metric?.set(labels, value);
  }
}

async function send({ response }: RouteRequest, registry: Registry): Promise<void> {
  response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
}
