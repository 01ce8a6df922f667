import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestInfo } from './request-info.ts';

/** The server's Prometheus metrics, named as kube-apiserver's. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'code'>;
  readonly #durations: Histogram<'verb' | 'group' | 'resource'>;
  readonly watchers: Gauge;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'apiserver_request_total',
      help: 'Counter of apiserver requests broken out for each verb, group, version, resource, subresource and code.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'code'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Response latency distribution in seconds for each verb, group and resource; watches are left out.',
      labelNames: ['verb', 'group', 'resource'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.watchers = new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Gauge of all active long-running apiserver requests.',
      registers,
    });
  }

  observe({
    info,
    status,
    seconds,
  }: {
    info: RequestInfo | undefined;
    status: number;
    seconds: number;
  }): void {
    if (info === undefined) return;
    const verb = info.verb.toUpperCase();
    const { group, version, resource, subresource } = info;
    this.#requests.inc({ verb, group, version, resource, subresource, code: String(status) });
    if (info.verb !== 'watch') this.#durations.observe({ verb, group, resource }, seconds);
  }

  async text(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}
