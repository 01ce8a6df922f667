import { Counter, Registry } from 'prom-client';
import type { ContainerKind } from './pod.ts';

/** What a kubelet counts while it runs, by upstream's names (pkg/kubelet/metrics); each of several in a process has its own. */
export interface KubeletCounters {
  registry: Registry;
  evictions: Counter<'eviction_signal'>;
  startedPods: Counter;
  startedPodErrors: Counter;
  startedContainers: Counter<'container_type'>;
  startedContainerErrors: Counter<'container_type' | 'code'>;
  terminatedContainers: Counter<'container_type' | 'exit_code' | 'reason'>;
}

export function createKubeletCounters(): KubeletCounters {
  const registry = new Registry();
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    registry,
    evictions: counter('kubelet_evictions', 'Cumulative number of pod evictions by eviction signal', [
      'eviction_signal',
    ]),
    startedPods: counter('kubelet_started_pods_total', 'Cumulative number of pods started', []),
    startedPodErrors: counter(
      'kubelet_started_pods_errors_total',
      'Cumulative number of errors when starting pods',
      [],
    ),
    startedContainers: counter(
      'kubelet_started_containers_total',
      'Cumulative number of containers started',
      ['container_type'],
    ),
    startedContainerErrors: counter(
      'kubelet_started_containers_errors_total',
      'Cumulative number of errors when starting containers',
      ['container_type', 'code'],
    ),
    terminatedContainers: counter(
      'kubelet_terminated_containers_total',
      'Cumulative number of containers that have ended, by exit code and reason',
      ['container_type', 'exit_code', 'reason'],
    ),
  };
}

/** A container's kind as the metrics name it: `init_container`. */
export const containerType = (kind: ContainerKind): string => kind.replace(' ', '_');
