import { createBackOff } from './back-off.ts';
import type { BackOff } from './back-off.ts';
import { ConnectionError } from './connection-error.ts';
import { systemClock, wait } from './clock.ts';
import type { Clock } from './clock.ts';
import { isExpired } from './errors.ts';
import type { ApiObject, WatchEvent } from './objects.ts';
import type { ResourceClient } from './resource-client.ts';

/** What a reflector tells; each call comes in the order of the server's events. */
export interface ReflectorSink<T> {
  /** The whole present state: what isn't in it is gone. */
  replace(objects: T[]): void;
  set(object: T): void;
  remove(object: T): void;
}

export interface ReflectorOptions<T extends ApiObject> {
  client: ResourceClient<T>;
  sink: ReflectorSink<T>;
  signal: AbortSignal;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  clock?: Clock | undefined;
  backOff?: BackOff | undefined;
  random?: (() => number) | undefined;
  onError?: ((error: unknown) => void) | undefined;
  /** Tells when the server is reached again: a reflector that lost it then tries at once. */
  onConnect?: ((listener: () => void) => () => void) | undefined;
}

const pageSize = 500;
/** A watch lives between 5 and 10 minutes, so that servers can balance their load (client-go). */
const minWatchSeconds = 300;

/**
 * Mirrors a resource into the sink until `signal` is aborted:
 *
 *     list ──▶ watch from its resourceVersion ──▶ (server's timeout) watch on from the last event
 *      ▲                 │ 410 Gone                (connection lost)  back off, then the same
 *      └─────────────────┘
 *
 * The first list may come from the server's cache (resourceVersion 0), one after a 410 must not.
 */
export const runReflector = async <T extends ApiObject>(options: ReflectorOptions<T>): Promise<void> => {
  const { signal, clock = systemClock, backOff = createBackOff(), onError } = options;
  let resourceVersion = '';
  let listFrom = '0';
  while (!signal.aborted) {
    try {
      if (resourceVersion === '') resourceVersion = await listInto(options, listFrom);
      resourceVersion = await watchInto(options, resourceVersion, () => backOff.reset());
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) {
        listFrom = '';
        // The first 410 is answered at once; a server that goes on so is not hammered.
        if (resourceVersion === '') await wait({ clock, delayMs: backOff.nextMs(), signal });
        resourceVersion = '';
        continue;
      }
      if (error instanceof WatchInterrupted) resourceVersion = error.resourceVersion;
      const cause = error instanceof WatchInterrupted ? error.cause : error;
      onError?.(cause);
      const onConnect = cause instanceof ConnectionError ? options.onConnect : undefined;
      await waitForNextTry({ clock, delayMs: backOff.nextMs(), signal, onConnect });
    }
  }
};

const waitForNextTry = async ({
  clock,
  delayMs,
  signal,
  onConnect,
}: {
  clock: Clock;
  delayMs: number;
  signal: AbortSignal;
  onConnect: ReflectorOptions<ApiObject>['onConnect'];
}): Promise<void> => {
  const connected = new AbortController();
  const remove = onConnect?.(() => connected.abort());
  await wait({ clock, delayMs, signal: AbortSignal.any([signal, connected.signal]) });
  remove?.();
};

/** A watch that ended with an error; carries where to go on. */
class WatchInterrupted extends Error {
  readonly resourceVersion: string;
  constructor(resourceVersion: string, cause: unknown) {
    super('watch interrupted', { cause });
    this.resourceVersion = resourceVersion;
  }
}

const listInto = async <T extends ApiObject>(
  { client, sink, namespace, labelSelector, fieldSelector, signal }: ReflectorOptions<T>,
  resourceVersion: string,
): Promise<string> => {
  const objects: T[] = [];
  let continueToken: string | undefined;
  for (;;) {
    const list = await client.list({
      namespace,
      labelSelector,
      fieldSelector,
      signal,
      limit: pageSize,
      // A continue token carries its own resourceVersion, and the server refuses both together.
      ...(continueToken === undefined ? { resourceVersion } : { continue: continueToken }),
    });
    for (const item of list.items) objects.push(item);
    continueToken = list.metadata.continue;
    if (continueToken === undefined || continueToken === '') {
      sink.replace(objects);
      return list.metadata.resourceVersion ?? '';
    }
  }
};

const watchInto = async <T extends ApiObject>(
  options: ReflectorOptions<T>,
  from: string,
  onProgress: () => void,
): Promise<string> => {
  const { client, sink, namespace, labelSelector, fieldSelector, signal } = options;
  const { clock = systemClock, random = Math.random } = options;
  let resourceVersion = from;
  try {
    const events = await client.watch({
      namespace,
      labelSelector,
      fieldSelector,
      signal,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(minWatchSeconds * (1 + random())),
    });
    const startedAtMs = clock.now();
    let count = 0;
    for await (const event of events) {
      apply(event, sink);
      resourceVersion = event.object.metadata?.resourceVersion ?? resourceVersion;
      if (count === 0) onProgress();
      count += 1;
    }
    // A server that accepts each watch and ends it at once must not be asked in a busy loop.
    if (count === 0 && clock.now() - startedAtMs < 1000) throw new Error('very short watch without events');
    return resourceVersion;
  } catch (error) {
    if (isExpired(error)) throw error;
    throw new WatchInterrupted(resourceVersion, error);
  }
};

const apply = <T extends ApiObject>(event: WatchEvent<T>, sink: ReflectorSink<T>): void => {
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
      return sink.set(event.object);
    case 'DELETED':
      return sink.remove(event.object);
    case 'BOOKMARK':
  }
};
