import { configz } from './routes/configz.ts';
import { containerLogs } from './routes/container-logs.ts';
import { healthz } from './routes/healthz.ts';
import { cadvisorMetrics, metrics, probeMetrics, resourceMetrics } from './routes/metrics.ts';
import { pods, runningPods } from './routes/pods.ts';
import { run } from './routes/run.ts';
import { statsSummary } from './routes/stats-summary.ts';
import type { RouteRequest } from './server.ts';

export interface Route {
  method: 'GET' | 'POST';
  pattern: RegExp;
  handle: (request: RouteRequest) => Promise<void>;
}

const segment = '([^/]+)';

/** The kubelet's API without what upgrades the connection (streaming.ts). */
export const routes: Route[] = [
  { method: 'GET', pattern: /^\/healthz(?:\/(?:ping|log|syncloop))?$/, handle: healthz },
  { method: 'GET', pattern: /^\/pods\/?$/, handle: pods },
  { method: 'GET', pattern: /^\/runningpods\/?$/, handle: runningPods },
  { method: 'GET', pattern: /^\/configz$/, handle: configz },
  { method: 'GET', pattern: /^\/stats\/summary$/, handle: statsSummary },
  { method: 'GET', pattern: /^\/metrics$/, handle: metrics },
  { method: 'GET', pattern: /^\/metrics\/cadvisor$/, handle: cadvisorMetrics },
  { method: 'GET', pattern: /^\/metrics\/resource$/, handle: resourceMetrics },
  { method: 'GET', pattern: /^\/metrics\/probes$/, handle: probeMetrics },
  {
    method: 'GET',
    pattern: new RegExp(`^/containerLogs/${segment}/${segment}/${segment}$`),
    handle: containerLogs,
  },
  {
    method: 'POST',
    pattern: new RegExp(`^/run/${segment}/${segment}(?:/${segment})?/${segment}$`),
    handle: run,
  },
];
