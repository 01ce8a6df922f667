import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ApiObject } from '../../client/objects.ts';

/** Tells why something waits or fails, in an event about an object. */
export type Announce = (
  object: ApiObject,
  event: { type: 'Normal' | 'Warning'; reason: string; message: string },
) => void;

export interface Announcements {
  announce: Announce;
  /** The object is gone. */
  forget(object: ApiObject): void;
}

/**
 * Events about states that last: the same one about the same object comes again only after `intervalMs`, no matter how
 * often the object is looked at in between. So the counts grow as with upstream, which looks every 15 s.
 */
export const createAnnouncements = ({
  recorder,
  clock,
  intervalMs,
}: {
  recorder: EventRecorder;
  clock: Clock;
  intervalMs: number;
}): Announcements => {
  const last = new Map<string, { text: string; atMs: number }>();
  const keyOf = ({ metadata }: ApiObject): string => metadata?.uid ?? '';
  return {
    announce(object, event) {
      const text = `${event.reason} ${event.message}`;
      const known = last.get(keyOf(object));
      if (known?.text === text && clock.now() - known.atMs < intervalMs) return;
      last.set(keyOf(object), { text, atMs: clock.now() });
      recorder.event({ object, ...event });
    },
    forget: (object) => void last.delete(keyOf(object)),
  };
};
