import { Counter, Registry } from 'prom-client';

/** What a kubelet counts while it runs, by upstream's names (pkg/kubelet/metrics); each of several in a process has its own. */
export interface KubeletCounters {
  registry: Registry;
  evictions: Counter<'eviction_signal'>;
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
  };
}
