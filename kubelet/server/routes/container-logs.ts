import { realpath } from 'node:fs/promises';
import { quote } from '../../../api/go-format.ts';
import type { ContainerStatus, PodStatus } from '../../../api/types.ts';
import { messageOf } from '../../cri/cri-error.ts';
import { findContainer } from '../../pod.ts';
import type { KubeletPod } from '../../pod.ts';
import { findPod } from '../find-container.ts';
import { HttpError } from '../http-error.ts';
import { readContainerLog } from '../../logs/read-container-log.ts';
import type { LogOptions } from '../../logs/read-container-log.ts';
import type { RouteRequest } from '../server.ts';

/** A container's log, by CRI's log files: `tailLines`, `sinceSeconds`, `sinceTime`, `timestamps`, `limitBytes`, `follow`, `previous`, `stream`. */
export async function containerLogs(request: RouteRequest): Promise<void> {
  const { options, response, url, parameters, signal } = request;
  const [namespace = '', name = '', container = ''] = parameters;
  const { parts } = options;
  const pod = await findPod(options, { namespace, name }, `pod "${name}" does not exist`);
  if (!findContainer(pod, container)) {
    throw new HttpError(404, `container "${container}" not found in pod "${name}"`);
  }
  const wanted = logOptions(url.searchParams);
  const status = parts.context.statuses.get(pod.metadata.uid) ?? pod.status;
  const id = containerIdFor({ pod, status, container, previous: wanted.previous });
  const logPath = await logPathOf(request, pod, id);
  // Said before the answer has begun: after that an error only breaks it off.
  await realpath(logPath).catch((error: unknown) => {
    const why = `failed to try resolving symlinks in path ${quote(logPath)}: ${messageOf(error)}`;
    throw new HttpError(400, why);
  });
  response.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  const { uid } = pod.metadata;
  const isRunning = () =>
    parts.context.cache.get(uid)?.containers.some((one) => one.id === id && one.state === 'running') ?? false;
  const onRuntimeChange = (listener: () => void) => parts.onRuntimeChange(uid, listener);
  for await (const chunk of readContainerLog({ ...wanted, logPath, signal, isRunning, onRuntimeChange })) {
    if (response.write(chunk) || signal.aborted) continue;
    await new Promise<void>((resolve) => {
      response.once('drain', resolve).once('close', resolve);
    });
  }
  response.end();
}

async function logPathOf({ options }: RouteRequest, pod: KubeletPod, id: string): Promise<string> {
  const { cache } = options.parts.context;
  const known = cache.get(pod.metadata.uid)?.containers.find((container) => container.id === id);
  if (known?.logPath) return known.logPath;
  const { status } = await options.cri.call('ContainerStatus', { containerId: id }).catch(() => {
    throw new HttpError(500, `unable to retrieve container logs for podwright://${id}`);
  });
  return status?.logPath ?? '';
}

function logOptions(query: URLSearchParams): LogOptions & { previous: boolean } {
  const on = (name: string) => ['true', '1'].includes(query.get(name) ?? '');
  const sinceSeconds = integer(query, 'sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const tailLines = integer(query, 'tailLines');
  const limitBytes = integer(query, 'limitBytes');
  const sinceMs =
    sinceSeconds === undefined
      ? sinceTime
        ? Date.parse(sinceTime)
        : undefined
      : Date.now() - sinceSeconds * 1000;
  const stream = query.get('stream') ?? 'All';
  if (!['All', 'Stdout', 'Stderr'].includes(stream)) {
    throw new HttpError(400, `invalid stream type "${stream}"`);
  }
  return {
    follow: on('follow'),
    timestamps: on('timestamps'),
    previous: on('previous'),
    ...(stream === 'All' ? {} : { stream: stream.toLowerCase() as 'stdout' | 'stderr' }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  const number = Number(value);
  if (Number.isInteger(number)) return number;
  throw new HttpError(400, '{"message": "Unable to decode query."}');
}

/** Which container's log is meant, in upstream's words for those that have none (validateContainerLogStatus). */
function containerIdFor({
  pod,
  status,
  container,
  previous,
}: {
  pod: KubeletPod;
  status: PodStatus;
  container: string;
  previous: boolean;
}): string {
  const where = `container "${container}" in pod "${pod.metadata.name}"`;
  const found = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container);
  if (!found) throw new HttpError(400, `${where} is not available`);
  const { state = {}, lastState = {} } = found;
  const last = lastState.terminated?.containerID;
  if (previous) {
    if (last) return idOf(last);
    throw new HttpError(400, `previous terminated ${where} not found`);
  }
  const current = currentId(found) ?? last;
  if (current) return idOf(current);
  if (state.terminated ?? lastState.terminated) throw new HttpError(400, `${where} is terminated`);
  throw new HttpError(400, `${where} is waiting to start${whyWaiting(state.waiting?.reason)}`);
}

const currentId = ({ state, containerID }: ContainerStatus): string | undefined =>
  state?.running ? containerID : state?.terminated?.containerID;

const idOf = (containerID: string): string => containerID.replace(/^.*:\/\//, '');

function whyWaiting(reason: string | undefined): string {
  if (reason === 'ErrImagePull') return ": image can't be pulled";
  if (reason === 'ImagePullBackOff') return ': trying and failing to pull image';
  return reason === undefined ? ' - no logs yet' : `: ${reason}`;
}
