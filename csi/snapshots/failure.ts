import type { ApiObject, ResourceId } from '../../client/objects.ts';
import { timeOf } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Client } from '../../client/rest.ts';
import { nameOf } from './names.ts';
import type { SnapshotFailure } from './types.ts';

export interface FailureOptions<T extends ApiObject> {
  object: T & { status?: { error?: SnapshotFailure } };
  reason: string;
  message: string;
  /** Leave status.readyToUse as it is; it becomes false otherwise. */
  keepsReadiness?: boolean;
}

/**
 * Tells a failure in the object's status.error and in a warning event, once for each message. Resolves with the object as the
 * server has it then; a status that can't be written rejects, the event is told all the same.
 */
export const reportFailure = async <T extends ApiObject>(
  { client, clock, recorder }: { client: Client; clock: Clock; recorder: EventRecorder },
  resource: ResourceId<T>,
  { object, reason, message, keepsReadiness = false }: FailureOptions<T>,
): Promise<T> => {
  if (object.status?.error?.message === message) return object;
  recorder.event({ object, type: 'Warning', reason, message });
  const error = { message, time: timeOf(clock.now()) };
  return client.resource(resource).patch({
    name: nameOf(object),
    namespace: object.metadata?.namespace,
    subresource: 'status',
    type: 'merge',
    patch: { status: { error, ...(keepsReadiness ? {} : { readyToUse: false }) } },
  });
};
