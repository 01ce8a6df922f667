import type { DeleteOptions } from '../../api/types.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import { timestamp } from './timestamp.ts';

/** What a delete does to the grace period: nothing (not a graceful kind), it runs already, or it has been set. */
export type GraceOutcome = 'immediate' | 'pending' | 'graceful';

/**
 * Sets deletionTimestamp and deletionGracePeriodSeconds as upstream's registry/rest BeforeDelete: the first delete starts the
 * period, later ones may only shorten it.
 */
export function beginGracefulDeletion(input: {
  kind: Kind;
  object: ApiObject;
  options: DeleteOptions;
  now: Date;
}): GraceOutcome {
  const { kind, object, options, now } = input;
  const { metadata } = object;
  if (kind.strategy.gracePeriodSeconds === undefined) return 'immediate';
  const asked = notNegative(options.gracePeriodSeconds);
  if (metadata.deletionTimestamp !== undefined) return shortenGrace(object, asked);
  const seconds = kind.strategy.gracePeriodSeconds(object, asked);
  metadata.deletionTimestamp = timestamp(new Date(now.getTime() + durationMs(seconds)));
  metadata.deletionGracePeriodSeconds = seconds;
  if (metadata.generation !== undefined) metadata.generation += 1;
  return 'graceful';
}

/** Less than nothing is one second. */
const notNegative = (seconds: number | undefined): number | undefined =>
  seconds !== undefined && seconds < 0 ? 1 : seconds;

/** As Go's time.Duration, int64 nanoseconds: more than 292 years come round to a time that a date can hold. */
const durationMs = (seconds: number): number =>
  Number(BigInt.asIntN(64, BigInt(seconds) * 1_000_000_000n) / 1_000_000n);

function shortenGrace({ metadata }: ApiObject, asked: number | undefined): GraceOutcome {
  const { deletionTimestamp = '', deletionGracePeriodSeconds: present = 0 } = metadata;
  if (present === 0) return 'immediate';
  if (asked === undefined || asked >= present) return 'pending';
  const endMs = Date.parse(deletionTimestamp) - durationMs(present) + durationMs(asked);
  metadata.deletionTimestamp = timestamp(new Date(endMs));
  metadata.deletionGracePeriodSeconds = asked;
  return 'graceful';
}

/** Marks an object that goes as soon as its finalizers are done. */
export function markAsDeleting({ metadata }: ApiObject, now: Date): void {
  if (metadata.generation !== undefined && metadata.deletionTimestamp === undefined) metadata.generation += 1;
  metadata.deletionTimestamp ??= timestamp(now);
  metadata.deletionGracePeriodSeconds = 0;
}
