import { setTimeout as delay } from 'node:timers/promises';
import type { CoreV1Event, EventSource, ObjectReference } from '../api/types.ts';
import { StatusError } from '../api/status.ts';
import { systemClock, timeOf, wait } from './clock.ts';
import type { Clock } from './clock.ts';
import { isNotFound } from './errors.ts';
import { createEventCorrelator } from './event-correlator.ts';
import type { Correlated } from './event-correlator.ts';
import type { ApiObject } from './objects.ts';
import { events } from './resources.ts';
import type { Client } from './rest.ts';

export interface EventRecorder {
  /**
   * Records an event about `object` and returns at once; it is written in the background, in order.
   * `fieldPath` names a part of the object, such as `spec.containers{web}`.
   */
  event(options: {
    object: ApiObject | ObjectReference;
    type: 'Normal' | 'Warning';
    reason: string;
    message: string;
    fieldPath?: string | undefined;
    annotations?: Record<string, string> | undefined;
  }): void;
  /** Resolves when all events so far are written or given up. */
  flush(): Promise<void>;
  /** Drops what is not written yet. */
  stop(): void;
}

/** client-go's values: a queue of 1000 events, 12 tries each, 10 s apart. */
const maxQueued = 1000;
/**
 * Events come in bursts, while what they tell of is being done; writing them waits this long, so that it doesn't hold that up. In
 * real time whatever the clock, because nothing is decided by it.
 */
const burstMs = 50;
const maxTries = 12;
const retryDelayMs = 10_000;

/**
 * Events as the kubelet and kube-scheduler make them: core/v1, named `<object>.<nanoseconds in hex>`, counted
 * and aggregated by the correlator. A server that can't be reached is tried again for two minutes; an event
 * that the server refuses is dropped.
 */
export const createEventRecorder = ({
  client,
  source,
  clock = systemClock,
  onError,
}: {
  client: Client;
  /** Who tells: the component, and for node components the node. */
  source: EventSource;
  clock?: Clock | undefined;
  onError?: ((error: unknown) => void) | undefined;
}): EventRecorder => {
  const correlator = createEventCorrelator({ clock });
  const nextName = eventNamer(clock);
  const stopping = new AbortController();
  const queue: CoreV1Event[] = [];
  let writing: Promise<void> | undefined;

  const write = async (correlated: Exclude<Correlated, { action: 'skip' }>): Promise<void> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      try {
        return correlator.update(correlated.key, await send(client, correlated));
      } catch (error) {
        if (error instanceof StatusError || attempt === maxTries) return onError?.(error);
        const delayMs = attempt === 1 ? retryDelayMs * Math.random() : retryDelayMs;
        await wait({ clock, delayMs, signal: stopping.signal });
      }
    }
  };

  const drain = async () => {
    await delay(burstMs);
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      const correlated = correlator.correlate(event);
      if (correlated.action !== 'skip') await write(correlated);
    }
    writing = undefined;
  };

  return {
    event({ object, type, reason, message, fieldPath, annotations }) {
      if (stopping.signal.aborted) return;
      if (queue.length >= maxQueued) return onError?.(new Error('too many queued events, one is dropped'));
      const involvedObject = { ...referenceTo(object), ...(fieldPath === undefined ? {} : { fieldPath }) };
      const now = timeOf(clock.now());
      queue.push({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {
          name: nextName(involvedObject.name ?? ''),
          namespace: involvedObject.namespace ?? 'default',
          ...(annotations === undefined ? {} : { annotations }),
        },
        involvedObject,
        reason,
        message,
        source,
        type,
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
        ...(source.component === undefined ? {} : { reportingComponent: source.component }),
        reportingInstance: source.host ?? '',
      });
      writing ??= drain();
    },
    async flush() {
      await writing;
    },
    stop() {
      stopping.abort();
      queue.length = 0;
    },
  };
};

const send = async (
  client: Client,
  { action, event }: Exclude<Correlated, { action: 'skip' }>,
): Promise<CoreV1Event> => {
  const resource = client.resource(events);
  if (action === 'count') {
    const { count, lastTimestamp, message } = event;
    const { name = '', namespace } = event.metadata;
    try {
      const patch = { count, lastTimestamp, message };
      return await resource.patch({ name, namespace, type: 'strategic', patch });
    } catch (error) {
      // The event's time to live is over: it begins anew.
      if (!isNotFound(error)) throw error;
    }
  }
  return resource.create({ object: event });
};

/**
 * Nanoseconds since 1970 in hexadecimal; never the same twice, because names must differ. Several recorders act on one change within a
 * millisecond, so what the clock doesn't tell of the time is taken from the system's.
 */
const eventNamer = (clock: Clock) => {
  let last = 0n;
  return (objectName: string): string => {
    const now = BigInt(clock.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
    last = now > last ? now : last + 1n;
    return `${objectName}.${last.toString(16)}`;
  };
};

const referenceTo = (object: ApiObject | ObjectReference): ObjectReference => {
  if (!('metadata' in object) || object.metadata === undefined) return object as ObjectReference;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return Object.fromEntries(
    Object.entries({
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      namespace,
      uid,
      resourceVersion,
    }).filter(([, value]) => value !== undefined),
  );
};
