import { connect } from 'node:net';
import type { Container, Probe } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
import { isTimeout, runInContainer } from '../containers/run-in-container.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { expandStatic } from './expand-static.ts';
import { messageOf } from '../cri/cri-error.ts';
import { goDuration } from '../go-duration.ts';
import { containerPort } from './container-port.ts';
import { grpcHealth } from './grpc-health.ts';
import { httpRequest, networkWords } from './http-request.ts';

export interface ProbeTarget {
  cri: CriClient;
  container: Container;
  containerId: string;
  podIp: string;
}

/** What one probe found; `warning` counts as a success that is told. */
export interface ProbeOutcome {
  result: 'success' | 'warning' | 'failure';
  output: string;
}

/** Runs a probe once. Rejects when the probe itself cannot be run (upstream: "probe errored"). */
export async function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeOutcome> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.exec) return execProbe(probe.exec.command ?? [], target, timeoutMs);
  if (probe.httpGet) return httpProbe(probe.httpGet, target, timeoutMs);
  if (probe.tcpSocket) {
    const port = containerPort(probe.tcpSocket.port, target.container);
    return tcpProbe(probe.tcpSocket.host || target.podIp, port, timeoutMs);
  }
  if (probe.grpc) {
    const { port, service = '' } = probe.grpc;
    return grpcHealth({ host: target.podIp, port, service: service ?? '', timeoutMs });
  }
  throw new Error(`missing probe handler for ${target.container.name}`);
}

const maxOutputBytes = 10 * 1024;

async function execProbe(
  command: string[],
  { cri, container, containerId }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const expanded = expandStatic(command, container.env ?? []);
  try {
    const { exitCode, output } = await runInContainer({ cri, containerId, command: expanded, timeoutMs });
    const shown = Buffer.from(output).subarray(0, maxOutputBytes).toString();
    return { result: exitCode === 0 ? 'success' : 'failure', output: shown };
  } catch (error) {
    if (!isTimeout(error)) throw error;
    const words = `command timed out: "${expanded.join(' ')}" timed out after ${goDuration(timeoutMs)}`;
    return { result: 'failure', output: words };
  }
}

async function httpProbe(
  action: NonNullable<Probe['httpGet']>,
  { container, podIp }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const host = action.host || podIp;
  const request = {
    scheme: (action.scheme ?? 'HTTP').toLowerCase(),
    host,
    port: containerPort(action.port, container),
    path: action.path ?? '/',
    headers: action.httpHeaders ?? [],
    userAgent: 'kube-probe/1.36',
    timeoutMs,
  };
  try {
    return await followRedirects(request, { left: 9, endMs: performance.now() + timeoutMs });
  } catch (error) {
    return { result: 'failure', output: messageOf(error) };
  }
}

/** Up to nine redirects on the same host are followed, all in the probe's time; one to another host is a success with a warning. */
async function followRedirects(
  request: Parameters<typeof httpRequest>[0],
  { left, endMs }: { left: number; endMs: number },
): Promise<ProbeOutcome> {
  const timeoutMs = Math.max(1, endMs - performance.now());
  const { statusCode, location, body } = await httpRequest({ ...request, timeoutMs });
  if (statusCode >= 200 && statusCode < 300) return { result: 'success', output: body };
  if (statusCode < 300 || statusCode >= 400) {
    return { result: 'failure', output: `HTTP probe failed with statuscode: ${statusCode}` };
  }
  const { scheme, host, port, path } = request;
  const target = location ? new URL(location, `${scheme}://${host}:${port}${path}`) : undefined;
  if (!target || target.hostname !== host) {
    return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
  }
  if (left === 0) throw new Error(`Get "${target.href}": stopped after 10 redirects`);
  return followRedirects(
    {
      ...request,
      scheme: target.protocol.slice(0, -1),
      port: Number(target.port) || (target.protocol === 'https:' ? 443 : 80),
      path: `${target.pathname}${target.search}`,
    },
    { left: left - 1, endMs },
  );
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (outcome: ProbeOutcome) => {
      cancel();
      socket.destroy();
      resolve(outcome);
    };
    const cancel = systemClock.after(timeoutMs, () =>
      finish({ result: 'failure', output: `dial tcp ${host}:${port}: i/o timeout` }),
    );
    socket.once('connect', () => finish({ result: 'success', output: '' }));
    socket.once('error', (error) =>
      finish({ result: 'failure', output: networkWords(error, `${host}:${port}`) }),
    );
  });
}
