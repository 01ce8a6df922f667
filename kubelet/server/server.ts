import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemClock } from '../../client/clock.ts';
import { answerOnSocket } from '../../client/upgrade-proxy.ts';
import type { PodParts } from '../compose-pods.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { describeError } from '../cri/cri-error.ts';
import type { KubeletOptions, KubeletTls } from '../kubelet-options.ts';
import type { NodeFacts } from '../node/node-facts.ts';
import { createAuthenticator } from './authentication.ts';
import { attributesOf, createAuthorizer } from './authorization.ts';
import { HttpError } from './http-error.ts';
import { routes } from './routes.ts';
import { proxyStreaming } from './streaming.ts';

export interface KubeletServerOptions extends KubeletOptions {
  tls: KubeletTls;
  parts: PodParts;
  cri: CriClient;
  facts: NodeFacts;
  /** Resolves when the Pods of this node are known, a while after the beginning. */
  podsKnown: Promise<void>;
}

/** One request to the kubelet's API, already authenticated and authorized. */
export interface RouteRequest {
  options: KubeletServerOptions;
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** What the route's pattern has found in the path. */
  parameters: string[];
  /** Aborted when the client goes away or the server stops. */
  signal: AbortSignal;
}

/**
 * Serves the kubelet's HTTPS API on the node's address: client certificates of the cluster's CA or tokens, then the
 * API server's word on whether the caller may. exec, attach and port-forward are carried on to the runtime.
 */
export async function startKubeletServer(
  options: KubeletServerOptions,
): Promise<{ port: number; stop(): Promise<void> }> {
  const { tls, client, log, nodeName, nodeIp } = options;
  const clock = options.clock ?? systemClock;
  const authenticate = createAuthenticator({ client, clock });
  const authorize = createAuthorizer({ client, clock, nodeName });
  const stopping = new AbortController();

  const check = async (request: IncomingMessage, url: URL): Promise<void> => {
    const user = await authenticate(request);
    if (!user) throw new HttpError(401, 'Unauthorized');
    const attributes = attributesOf(request.method ?? 'GET', url.pathname);
    if (await authorize(user, attributes)) return;
    const { verb, subresources } = attributes;
    throw new HttpError(
      403,
      `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])\n`,
    );
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = urlOf(request);
    await check(request, url);
    for (const { method, pattern, handle } of routes) {
      const match = pattern.exec(url.pathname);
      if (!match) continue;
      if (request.method !== method) throw new HttpError(405, '405: Method Not Allowed');
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, stopping.signal]);
      return handle({ options, request, response, url, parameters: match.slice(1), signal });
    }
    throw new HttpError(404, '404: Page Not Found');
  };
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = urlOf(request);
    await check(request, url);
    await proxyStreaming({ options, request, socket, head, url, signal: stopping.signal });
  };

  const server = createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { statusCode, message } = failureOf(error);
      log.debug({ url: request.url ?? '', statusCode, error: message }, 'kubelet request failed');
      if (response.headersSent) response.destroy();
      else response.writeHead(statusCode, { 'content-type': 'text/plain' }).end(message);
    });
  });
  server.on('upgrade', (request, socket, head) => {
    upgrade(request, socket, head).catch((error: unknown) => {
      const { statusCode, message } = failureOf(error);
      answerOnSocket(socket, { statusCode, body: message, headers: [['Content-Type', 'text/plain']] });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 10_250, nodeIp, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      stopping.abort();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** As Go's default: the command of an exec stands in its URL, and Node.js takes only 16 KiB. */
const MAX_HEADER_BYTES = 1024 * 1024;

const urlOf = (request: IncomingMessage): URL => new URL(request.url ?? '/', 'https://kubelet');

function failureOf(error: unknown): { statusCode: number; message: string } {
  if (error instanceof HttpError) return { statusCode: error.statusCode, message: error.message };
  return { statusCode: 500, message: describeError(error) };
}
