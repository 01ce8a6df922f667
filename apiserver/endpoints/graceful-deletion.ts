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
  metadata.deletionTimestamp = timestamp(new Date(now.getTime() + seconds * 1000));
  metadata.deletionGracePeriodSeconds = seconds;
  if (metadata.generation !== undefined) metadata.generation += 1;
  return 'graceful';
}

/** Less than nothing is one second. */
const notNegative = (seconds: number | undefined): number | undefined =>
  seconds !== undefined && seconds < 0 ? 1 : seconds;

function shortenGrace({ metadata }: ApiObject, asked: number | undefined): GraceOutcome {
  const { deletionTimestamp = '', deletionGracePeriodSeconds: present = 0 } = metadata;
  if (present === 0) return 'immediate';
  if (asked === undefined || asked >= present) return 'pending';
  metadata.deletionTimestamp = timestamp(new Date(Date.parse(deletionTimestamp) - (present - asked) * 1000));
  metadata.deletionGracePeriodSeconds = asked;
  return 'graceful';
}

/** Marks an object that goes as soon as its finalizers are done. */
export function markAsDeleting({ metadata }: ApiObject, now: Date): void {
  if (metadata.generation !== undefined && metadata.deletionTimestamp === undefined) metadata.generation += 1;
  metadata.deletionTimestamp ??= timestamp(now);
  metadata.deletionGracePeriodSeconds = 0;
}
