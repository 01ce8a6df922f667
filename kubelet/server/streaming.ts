import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { proxyUpgrade, UpgradeDialError } from '../../client/upgrade-proxy.ts';
import { describeError } from '../cri/cri-error.ts';
import { findPod, findRunningContainer } from './find-container.ts';
import { HttpError } from './http-error.ts';
import type { KubeletServerOptions } from './server.ts';

export interface StreamingRequest {
  options: KubeletServerOptions;
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  url: URL;
  signal: AbortSignal;
}

const segment = '([^/]+)';
const containerPattern = new RegExp(`^/(exec|attach)/${segment}/${segment}(?:/${segment})?/${segment}$`);
const podPattern = new RegExp(`^/portForward/${segment}/${segment}(?:/${segment})?$`);

/** exec, attach and portForward: asks the runtime for a URL and carries the connection on to it as bytes. */
export async function proxyStreaming(streaming: StreamingRequest): Promise<void> {
  const { request, socket, head, signal } = streaming;
  const url = await streamingUrl(streaming).catch((error: unknown) => {
    if (error instanceof HttpError) throw error;
    throw new HttpError(500, describeError(error));
  });
  try {
    const tls = { ca: streaming.options.tls.clientCa };
    await proxyUpgrade({ request, socket, head, target: { url, tls }, signal });
  } catch (error) {
    if (error instanceof UpgradeDialError) throw new HttpError(500, error.message);
    throw error;
  }
}

async function streamingUrl(streaming: StreamingRequest): Promise<string> {
  const { pathname } = streaming.url;
  const forward = podPattern.exec(pathname);
  if (forward) return portForwardUrl(streaming, forward.slice(1));
  const match = containerPattern.exec(pathname);
  if (!match) throw new HttpError(404, '404: Page Not Found');
  const [, verb = '', namespace = '', name = '', uid, container = ''] = match;
  const { options } = streaming;
  const pod = await findPod(options, { namespace, name, uid });
  const { id } = findRunningContainer(options, pod, decodeURIComponent(container));
  const flags = streamFlags(streaming.url);
  if (verb === 'attach') {
    const { url } = await options.cri.call('Attach', { containerId: id, ...flags });
    return url;
  }
  const cmd = streaming.url.searchParams.getAll('command');
  const { url } = await options.cri.call('Exec', { containerId: id, cmd, ...flags });
  return url;
}

/** The kubelet's own parameters: input, output, error, tty. */
function streamFlags({ searchParams }: URL) {
  const on = (name: string) => ['1', 'true'].includes(searchParams.get(name) ?? '');
  const tty = on('tty');
  const flags = {
    tty,
    stdin: on('input') || on('stdin'),
    stdout: on('output') || on('stdout'),
    // A terminal has one output.
    stderr: !tty && (on('error') || on('stderr')),
  };
  if (flags.stdin || flags.stdout || flags.stderr) return flags;
  throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr');
}

async function portForwardUrl(
  { options, url }: StreamingRequest,
  [namespace = '', name = '', uid]: (string | undefined)[],
): Promise<string> {
  const pod = await findPod(options, { namespace, name, uid });
  const sandbox = options.parts.context.cache
    .get(pod.metadata.uid)
    ?.sandboxes.find(({ state }) => state === 'SANDBOX_READY');
  if (!sandbox) throw new HttpError(404, 'pod not found');
  const port = url.searchParams.getAll('port').flatMap((value) => value.split(',').map(Number));
  const answer = await options.cri.call('PortForward', { podSandboxId: sandbox.id, port });
  return answer.url;
}
