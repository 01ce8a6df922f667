import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Kind } from '../registry/kind.ts';
import type { RequestInfo } from './request-info.ts';

/** All verbs that are counted by name (upstream: endpoints/metrics validRequestMethods). */
const VERBS = new Set([
  'CREATE',
  'DELETE',
  'DELETECOLLECTION',
  'GET',
  'HEAD',
  'LIST',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'UPDATE',
  'WATCH',
]);

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

  /** Counts one request; `kind` is that of the table of kinds, if any. */
  observe({
    info,
    kind,
    status,
    seconds,
  }: {
    info: RequestInfo | undefined;
    kind: Kind | undefined;
    status: number;
    seconds: number;
  }): void {
    if (info === undefined) return;
    const { verb, group, version, resource, subresource } = labelsOf(info, kind);
    this.#requests.inc({ verb, group, version, resource, subresource, code: String(status) });
    if (verb !== 'WATCH') this.#durations.observe({ verb, group, resource }, seconds);
  }

  async text(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}

/** Each new value of a label takes memory for good: only what the server knows is counted by name, not what a path says. */
function labelsOf(info: RequestInfo, kind: Kind | undefined) {
  const spelled = info.verb.toUpperCase();
  const subresource = kind?.subresources?.find(({ name }) => name === info.subresource);
  return {
    verb: VERBS.has(spelled) ? spelled : 'other',
    group: kind?.group ?? '',
    version: kind?.version ?? '',
    resource: kind?.plural ?? '',
    subresource: subresource?.name ?? '',
  };
}
