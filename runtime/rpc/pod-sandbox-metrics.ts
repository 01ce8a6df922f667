import type {
  ListMetricDescriptorsResponse,
  ListPodSandboxMetricsResponse,
  Metric,
  MetricDescriptor,
  MetricType,
  PodSandboxMetrics,
  PodSandboxStats,
  Sent,
  StreamPodSandboxMetricsResponse,
} from '../cri/types.ts';
import { inPieces } from '../filters.ts';
import type { Runtime } from '../runtime.ts';
import { listPodSandboxStats } from './pod-sandbox-stats.ts';

type Stats = Sent<PodSandboxStats>;
type Usage = NonNullable<NonNullable<Stats['linux']>['containers']>[number] | NonNullable<Stats['linux']>;

/** The metrics by cAdvisor's names, for those the cgroups give. One row: name, kind, help, and where its value stands. */
const rows: [string, MetricType, string, (usage: Usage) => number | undefined][] = [
  [
    'container_cpu_usage_seconds_total',
    'COUNTER',
    'Cumulative cpu time consumed in seconds.',
    ({ cpu }) => (cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9,
  ],
  [
    'container_memory_usage_bytes',
    'GAUGE',
    'Current memory usage in bytes, including all memory.',
    ({ memory }) => memory?.usageBytes?.value,
  ],
  [
    'container_memory_working_set_bytes',
    'GAUGE',
    'Current working set in bytes.',
    ({ memory }) => memory?.workingSetBytes?.value,
  ],
  ['container_memory_rss', 'GAUGE', 'Size of RSS in bytes.', ({ memory }) => memory?.rssBytes?.value],
];

const labelKeys = ['id', 'name', 'image'];

/** The metrics that listPodSandboxMetrics() gives. */
export const listMetricDescriptors = (): Sent<ListMetricDescriptorsResponse> => ({
  descriptors: rows.map(([name, , help]): Sent<MetricDescriptor> => ({ name, help, labelKeys })),
});

/** Metrics of every ready sandbox and its containers. */
export const listPodSandboxMetrics = async (
  runtime: Runtime,
): Promise<Sent<ListPodSandboxMetricsResponse>> => ({
  podMetrics: await collect(runtime),
});

/** The same in pieces (KEP-5825). */
export async function* streamPodSandboxMetrics(
  runtime: Runtime,
): AsyncGenerator<Sent<StreamPodSandboxMetricsResponse>> {
  for (const podSandboxMetrics of inPieces(await collect(runtime))) yield { podSandboxMetrics };
}

async function collect(runtime: Runtime): Promise<Sent<PodSandboxMetrics>[]> {
  const { stats } = await listPodSandboxStats(runtime, { filter: null });
  return stats.map(({ attributes, linux }) => ({
    podSandboxId: attributes?.id ?? '',
    metrics: linux == null ? [] : metricsOf(linux, [attributes?.id ?? '', 'POD', '']),
    containerMetrics: (linux?.containers ?? []).map((container) => {
      const { id = '', metadata } = container.attributes ?? {};
      const image = runtime.containers.find(id)?.config.image?.image ?? '';
      return { containerId: id, metrics: metricsOf(container, [id, metadata?.name ?? '', image]) };
    }),
  }));
}

function metricsOf(usage: Usage, labelValues: string[]): Sent<Metric>[] {
  const timestamp = usage.cpu?.timestamp ?? 0;
  return rows.map(([name, metricType, , read]) => {
    const value = { value: Math.round(read(usage) ?? 0) };
    return { name, timestamp, metricType, labelValues, value };
  });
}
