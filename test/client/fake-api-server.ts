import { randomUUID } from 'node:crypto';
import { createSecureServer } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createClient } from '../../client/rest.ts';
import type { ClientOptions } from '../../client/rest.ts';
import type { ApiObject } from '../../client/objects.ts';
import { selfSignedCertificate } from './certificate.ts';

interface Change {
  revision: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  collection: string;
  object: ApiObject;
}

interface Watcher {
  collection: string;
  response: Http2ServerResponse;
}

/** What a test may answer in place of the server; undefined lets the server do it, silence nobody. */
type Interceptor = (
  request: Http2ServerRequest,
  body: string,
) => { status: number; headers?: Record<string, string>; body: unknown } | 'silence' | undefined;

/**
 * An HTTP/2 server that stores any object under its path and serves list and watch, with the faults that a
 * client must live through: lost connections, forgotten history, errors of any kind.
 */
export const startFakeApiServer = async () => {
  const { cert, key } = await selfSignedCertificate();
  const objects = new Map<string, ApiObject>();
  const requests: string[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const watchers = new Set<Watcher>();
  let history: Change[] = [];
  let revision = 1;
  let compactedTo = 0;
  let intercept: Interceptor | undefined;

  const record = (type: Change['type'], collection: string, object: ApiObject) => {
    const change = { revision, type, collection, object };
    history.push(change);
    for (const watcher of watchers)
      if (watcher.collection === collection) sendChange(watcher.response, change);
  };

  const put = (path: string, object: ApiObject): ApiObject => {
    const previous = objects.get(path);
    revision += 1;
    const uid = previous?.metadata?.uid ?? randomUUID();
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(revision) } };
    objects.set(path, stored);
    record(previous === undefined ? 'ADDED' : 'MODIFIED', collectionOf(path), stored);
    return stored;
  };

  const remove = (path: string) => {
    const object = objects.get(path);
    if (object === undefined) return;
    revision += 1;
    objects.delete(path);
    const metadata = { ...object.metadata, resourceVersion: String(revision) };
    record('DELETED', collectionOf(path), { ...object, metadata });
  };

  const list = (collection: string) => ({
    apiVersion: 'v1',
    kind: 'ThingList',
    metadata: { resourceVersion: String(revision) },
    items: [...objects].filter(([path]) => collectionOf(path) === collection).map(([, object]) => object),
  });

  const watch = (collection: string, from: number, response: Http2ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.stream.on('error', () => undefined);
    if (from < compactedTo) {
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired', 'too old resource version') })}\n`,
      );
      return;
    }
    for (const change of history) {
      if (change.collection === collection && change.revision > from) sendChange(response, change);
    }
    const watcher = { collection, response };
    watchers.add(watcher);
    response.on('close', () => watchers.delete(watcher));
    response.stream.write('');
  };

  const handle = (request: Http2ServerRequest, response: Http2ServerResponse, body: string) => {
    const url = new URL(request.url, 'https://127.0.0.1');
    requests.push(`${request.method} ${request.url}`);
    const answer = (code: number, value: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(code, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    };
    const intercepted = intercept?.(request, body);
    if (intercepted === 'silence') return;
    if (intercepted !== undefined) return answer(intercepted.status, intercepted.body, intercepted.headers);
    const path = url.pathname;
    if (url.searchParams.get('watch') === 'true') {
      return watch(path, Number(url.searchParams.get('resourceVersion') ?? 0), response);
    }
    const missing = () => answer(404, status(404, 'NotFound', `"${path}" not found`));
    if (request.method === 'POST') {
      const object = JSON.parse(body) as ApiObject;
      const objectPath = `${path}/${object.metadata?.name ?? ''}`;
      if (objects.has(objectPath)) return answer(409, status(409, 'AlreadyExists', 'already exists'));
      return answer(201, put(objectPath, object));
    }
    const present = objects.get(path);
    switch (request.method) {
      case 'GET':
        if (present !== undefined) return answer(200, present);
        return isCollection(path) ? answer(200, list(path)) : missing();
      case 'PUT': {
        if (present === undefined) return missing();
        const object = JSON.parse(body) as ApiObject;
        if (object.metadata?.resourceVersion !== present.metadata?.resourceVersion) {
          return answer(409, status(409, 'Conflict', 'the object has been modified'));
        }
        return answer(200, put(path, object));
      }
      case 'PATCH':
        if (present === undefined) return missing();
        return answer(200, put(path, { ...present, ...(JSON.parse(body) as ApiObject) }));
      case 'DELETE':
        if (present === undefined) return missing();
        remove(path);
        return answer(200, status(200, '', ''));
      default:
        return answer(405, status(405, 'MethodNotAllowed', 'no'));
    }
  };

  const server = createSecureServer(
    { cert, key, settings: { maxConcurrentStreams: 1000 } },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.on('end', () => handle(request, response, Buffer.concat(chunks).toString()));
    },
  );
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  const listen = (port: number) =>
    new Promise<number>((resolve) => {
      server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const dropConnections = () => {
    for (const session of sessions) session.destroy();
  };
  const port = await listen(0);

  return {
    requests,
    put,
    remove,
    dropConnections,
    /** The history before the present revision can no longer be watched. */
    compact() {
      history = [];
      compactedTo = revision;
    },
    /** Changes that nobody is told of, as while a watch is down. */
    withoutTelling(change: () => void) {
      const kept = [...watchers];
      watchers.clear();
      change();
      for (const watcher of kept) watchers.add(watcher);
    },
    setIntercept(interceptor: Interceptor | undefined) {
      intercept = interceptor;
    },
    /** Takes the port away for a while; resolves when it is closed. */
    async pause() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      dropConnections();
      await closed;
    },
    resume: () => listen(port),
    sessionCount: () => sessions.size,
    watcherCount: () => watchers.size,
    client: (options: Partial<ClientOptions> = {}) =>
      createClient({ server: `https://127.0.0.1:${port}`, ca: cert, ...options }),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      dropConnections();
      await closed;
    },
  };
};

export type FakeApiServer = Awaited<ReturnType<typeof startFakeApiServer>>;

const sendChange = (response: Http2ServerResponse, { type, object }: Change) =>
  response.stream.write(`${JSON.stringify({ type, object })}\n`);

const collectionOf = (path: string) => path.slice(0, path.lastIndexOf('/'));

/** In these tests a collection is the plural resource, which ends in s; names don't. */
const isCollection = (path: string) => path.endsWith('s');

const status = (code: number, reason: string, message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: code < 400 ? 'Success' : 'Failure',
  message,
  reason,
  code,
});
