import type { Container, HTTPGetAction, LifecycleHandler } from '../../api/types.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { Clock } from '../../client/clock.ts';
import { wait } from '../../client/clock.ts';
import type { PodEvents } from '../pod-events.ts';
import { formatPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { authorityOf, httpRequest } from '../probes/http-request.ts';
import { containerPort } from '../probes/container-port.ts';
import { runInContainer } from './run-in-container.ts';

export interface HookOptions {
  cri: CriClient;
  clock: Clock;
  events: Pick<PodEvents, 'pod'>;
  pod: KubeletPod;
  container: Container;
  containerId: string;
  podIp: string;
  handler: LifecycleHandler;
  signal?: AbortSignal | undefined;
}

/** Runs a postStart or preStop hook: exec, httpGet or sleep. Rejects with upstream's words (lifecycle/handlers.go). */
export async function runHook(options: HookOptions): Promise<void> {
  const { handler, container, pod } = options;
  const where = `for Container "${container.name}" in Pod "${formatPod(pod)}" failed - error:`;
  if (handler.exec) {
    await execHook(options, handler.exec.command ?? [], where);
  } else if (handler.httpGet) {
    const { path = '' } = handler.httpGet;
    await httpHook(options, handler.httpGet).catch((error: unknown) => {
      throw new Error(`HTTP lifecycle hook (${path}) ${where} ${messageOf(error)}`);
    });
  } else if (handler.sleep) {
    const { seconds } = handler.sleep;
    await wait({ clock: options.clock, delayMs: seconds * 1000, signal: options.signal });
    if (options.signal?.aborted) {
      throw new Error(
        `Sleep lifecycle hook (${seconds}) ${where} container terminated before sleep hook finished`,
      );
    }
  } else {
    throw new Error(`Cannot run handler: invalid handler: ${JSON.stringify(handler)}`);
  }
}

async function execHook(options: HookOptions, command: string[], where: string): Promise<void> {
  const { cri, containerId, signal } = options;
  const { exitCode, output } = await runInContainer({ cri, containerId, command, signal }).catch(
    (error: unknown) => ({ exitCode: -1, output: messageOf(error) }),
  );
  if (exitCode === 0) return;
  throw new Error(
    `Exec lifecycle hook ([${command.join(' ')}]) ${where} command '${command.join(' ')}' exited with ${exitCode}: ${output}, message: ${JSON.stringify(output)}`,
  );
}

/** Any answer is a success; https to a server that speaks http is tried again without TLS. */
async function httpHook(options: HookOptions, action: HTTPGetAction): Promise<void> {
  const { container, podIp, signal, pod, events } = options;
  const request = {
    host: action.host || podIp,
    port: containerPort(action.port, container),
    path: action.path ?? '',
    headers: action.httpHeaders ?? [],
    userAgent: 'kube-lifecycle/1.36',
    timeoutMs: 30_000,
    signal,
  };
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  try {
    await httpRequest({ ...request, scheme });
  } catch (error) {
    if (scheme !== 'https' || !messageOf(error).includes('wrong version number')) throw error;
    // What is for the server's eyes only does not go there in the clear.
    const headers = request.headers.filter(({ name }) => name.toLowerCase() !== 'authorization');
    await httpRequest({ ...request, headers, scheme: 'http' });
    const message = `request to HTTPS lifecycle hook ${authorityOf(request)} got HTTP response, retry with HTTP succeeded`;
    events.pod(pod, 'Warning', 'LifecycleHTTPFallback', message);
  }
}
