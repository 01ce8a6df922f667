import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { isListening } from '../../../../linux/is-listening.ts';
import { trace } from '../../../../linux/trace.ts';
import type { Cloud } from './cloud.ts';
import { CloudError, cloudErrors } from './errors.ts';
import { findRoute } from './routes.ts';

const debug = trace('cloud');

/** Serves the cloud's API on a unix socket, which only root can open. Throws when another cloud answers there. */
export async function serveCloud(cloud: Cloud, socketPath: string): Promise<{ stop(): Promise<void> }> {
  await refuseLivingServer(socketPath); // it may have come while this one took up what it found
  rmSync(socketPath, { force: true });
  mkdirSync(dirname(socketPath), { recursive: true });
  const server = createServer((request, response) => void answer(cloud, request, response));
  server.keepAliveTimeout = 0; // the driver keeps its connections
  await listen(server, socketPath);
  return {
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const deadline = setTimeout(() => server.closeAllConnections(), stopWithinMs);
      await closed;
      clearTimeout(deadline);
      rmSync(socketPath, { force: true });
    },
  };
}

const stopWithinMs = 2000;

/** Throws when another cloud answers on the socket. */
export async function refuseLivingServer(socketPath: string): Promise<void> {
  if (await isListening(socketPath))
    throw new Error(`${socketPath}: another cloud already serves this socket; stop it first`);
}

async function listen(server: Server, socketPath: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(socketPath, 0o600);
}

async function answer(cloud: Cloud, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const began = performance.now();
  const { method = 'GET', url = '/' } = request;
  let status = 200;
  let body: unknown;
  try {
    body = (await handle(cloud, request)) ?? {};
  } catch (error) {
    const { code, message } = asAnswer(cloud, error);
    status = cloudErrors[code];
    body = { error: { code, message } };
  }
  debug(`${method} ${url}`, { status, ms: Math.round(performance.now() - began), body });
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

async function handle(cloud: Cloud, request: IncomingMessage): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://cloud');
  const { route, name } = findRoute(request.method ?? 'GET', pathname);
  return await route(cloud, { name, query: searchParams, body: await readBody(request) });
}

const longestBody = 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if ((length += chunk.length) > longestBody)
      throw new CloudError('INVALID_PARAMETER', 'the request is too long');
  }
  if (length === 0) return {};
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new CloudError('INVALID_PARAMETER', 'the request is not JSON', { cause: error });
  }
  if (typeof body === 'object' && body !== null) return body;
  throw new CloudError('INVALID_PARAMETER', 'the request is not a JSON object');
}

function asAnswer(cloud: Cloud, error: unknown): CloudError {
  if (error instanceof CloudError) return error;
  cloud.log.warn({ err: error }, 'a request failed');
  return new CloudError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}
