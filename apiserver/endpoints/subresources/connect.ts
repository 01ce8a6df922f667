import { badRequest } from '../../http/errors.ts';
import { queryFlag } from '../../http/query-values.ts';
import type { Endpoint, ResourceRequest } from '../context.ts';
import { containerOf, nodeOf, presentPod } from './pod-container.ts';
import { forwardAnswer } from './forward-answer.ts';
import { checkLogOptions } from './log-options.ts';

const LOG_FLAGS = ['follow', 'previous', 'timestamps'];
const LOG_VALUES = ['sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'];

/** GET pods/log: what the kubelet of the Pod's node answers, line by line as it comes. Throws 400, 404 and 422. */
export const streamLog: Endpoint = async (request) => {
  const url = await logUrl(request);
  if (url !== undefined) return forwardAnswer({ request, url });
  request.response.writeHead(204).end();
  return undefined;
};

/** Where the kubelet has the log that is asked for; nowhere while the Pod has no node. Throws 400, 404 and 422. */
export async function logUrl(request: ResourceRequest): Promise<string | undefined> {
  const { server, info } = request;
  checkLogOptions(info.name, info.query);
  const pod = await presentPod(request);
  const container = containerOf(pod, info.query.get('container'));
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) return undefined;
  const path = `/containerLogs/${info.namespace}/${info.name}/${container}`;
  return `${server.kubelets.baseUrl(nodeName)}${path}${logQuery(info.query)}`;
}

/** What is asked of the log, each flag in the letters that a kubelet reads (upstream: registry/core/pod LogLocation). */
function logQuery(query: URLSearchParams): string {
  const result = pick(query, LOG_VALUES);
  for (const name of LOG_FLAGS) if (queryFlag(query, name)) result.set(name, 'true');
  return textOf(result);
}

/** exec, attach and port-forward without an upgrade are refused as upstream's kubelet does. */
export const connectPod: Endpoint = async (request) => {
  await connectUrl(request);
  throw badRequest('Upgrade request required');
};

/** The kubelet URL that an exec, attach or port-forward is carried on to. Throws 400 and 404. */
export async function connectUrl(request: ResourceRequest): Promise<string> {
  const { server, info } = request;
  const pod = await presentPod(request);
  if (info.subresource === 'portforward') {
    const base = server.kubelets.baseUrl(nodeOf(pod));
    return `${base}/portForward/${info.namespace}/${info.name}${textOf(pick(info.query, ['ports']))}`;
  }
  const container = containerOf(pod, info.query.get('container'));
  const base = server.kubelets.baseUrl(nodeOf(pod));
  return `${base}/${info.subresource}/${info.namespace}/${info.name}/${container}${streamQuery(info.query)}`;
}

const STREAMS = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' };

/** The kubelet's names of the streams: input, output, error (upstream: registry/core/pod streamParams). */
function streamQuery(query: URLSearchParams): string {
  const result = new URLSearchParams();
  for (const [name, kubeletName] of Object.entries(STREAMS)) {
    if (queryFlag(query, name)) result.set(kubeletName, '1');
  }
  for (const word of query.getAll('command')) result.append('command', word);
  return `?${result.toString()}`;
}

function pick(query: URLSearchParams, names: string[]): URLSearchParams {
  const result = new URLSearchParams();
  for (const name of names) for (const value of query.getAll(name)) result.append(name, value);
  return result;
}

const textOf = (query: URLSearchParams): string => (query.size === 0 ? '' : `?${query.toString()}`);
