import { isConflict, isNotFound } from '../../../client/errors.ts';
import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import { reportFailure } from '../../snapshots/failure.ts';
import type { FailureOptions } from '../../snapshots/failure.ts';
import { wordsOf } from '../../snapshots/snapshotting.ts';
import type { Snapshotter } from './snapshotter.ts';

/** One step of a content, and how its failure is told. */
export interface Step<Content> {
  act: (world: Snapshotter, content: Content) => Promise<Content>;
  reason: string;
  words: string;
}

/** Takes the step. A failure stands in the content's status too, from where it comes to the user's snapshot or group snapshot. */
export const takeStep = async <Content extends ApiObject>(
  world: Snapshotter,
  resource: ResourceId<Content>,
  { content, step }: { content: FailureOptions<Content>['object']; step: Step<Content> },
): Promise<Content> => {
  try {
    return await step.act(world, content);
  } catch (error) {
    if (isConflict(error)) throw error;
    const failure = { object: content, reason: step.reason, message: `${step.words}: ${wordsOf(error)}` };
    await reportFailure(world, resource, failure).catch((unwritten: unknown) => {
      if (!isNotFound(unwritten)) throw unwritten;
    });
    throw error;
  }
};
