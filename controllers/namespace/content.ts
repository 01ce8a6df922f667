import type { Pod } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import type { ApiObject } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import { discoverResources } from '../discovery.ts';
import type { DiscoveredResource } from '../discovery.ts';

/** What is left of a namespace's content after a round of deletions. */
export interface ContentOutcome {
  /** Objects by `resource.group`. */
  remaining: Map<string, number>;
  /** Objects by finalizer. */
  finalizers: Map<string, number>;
  errors: string[];
  discoveryError: string | undefined;
  /** When to look again. */
  estimateMs: number;
}

const finalizerEstimateMs = 5000;
const podEstimateMs = 1000;

/** Deletes all objects of a namespace: pods first, and the rest only once they are gone (KEP-5080). */
export const deleteContent = async ({
  client,
  namespace,
}: {
  client: Client;
  namespace: string;
}): Promise<ContentOutcome> => {
  const outcome: ContentOutcome = {
    remaining: new Map(),
    finalizers: new Map(),
    errors: [],
    discoveryError: undefined,
    estimateMs: podEstimateMs,
  };
  const resources = await discoverResources(client).catch((error: unknown) => {
    outcome.discoveryError = messageOf(error);
    outcome.errors.push(outcome.discoveryError);
    return [];
  });
  const deletable = resources.filter(
    ({ namespaced, verbs }) => namespaced && verbs.includes('list') && verbs.includes('deletecollection'),
  );
  const isPods = ({ id }: DiscoveredResource) => id.group === '' && id.resource === 'pods';
  const remove = (resource: DiscoveredResource) =>
    deleteAll({ client, namespace, resource, outcome }).catch((error: unknown) => {
      outcome.errors.push(messageOf(error));
    });
  await Promise.all(deletable.filter(isPods).map(remove));
  if (outcome.remaining.size === 0) {
    await Promise.all(deletable.filter((resource) => !isPods(resource)).map(remove));
  }
  return outcome;
};

const deleteAll = async ({
  client,
  namespace,
  resource: { id },
  outcome,
}: {
  client: Client;
  namespace: string;
  resource: DiscoveredResource;
  outcome: ContentOutcome;
}): Promise<void> => {
  const resource = client.resource(id);
  const list = async () => {
    try {
      return (await resource.list({ namespace })).items;
    } catch (error) {
      // The resource itself is gone, as after the deletion of its definition.
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  // Nothing new can be made in a dying namespace, so what is empty stays so.
  if ((await list()).length === 0) return;
  await resource.deleteCollection({ namespace, propagationPolicy: 'Background' });
  const left = await list();
  if (left.length === 0) return;
  outcome.remaining.set(`${id.resource}.${id.group}`, left.length);
  for (const object of left) note(object, { outcome, isPod: id.group === '' && id.resource === 'pods' });
};

const note = (object: ApiObject, { outcome, isPod }: { outcome: ContentOutcome; isPod: boolean }) => {
  for (const finalizer of object.metadata?.finalizers ?? []) {
    outcome.finalizers.set(finalizer, (outcome.finalizers.get(finalizer) ?? 0) + 1);
    outcome.estimateMs = Math.max(outcome.estimateMs, finalizerEstimateMs);
  }
  if (!isPod) return;
  const graceMs = ((object as Pod).metadata?.deletionGracePeriodSeconds ?? 0) * 1000;
  outcome.estimateMs = Math.max(outcome.estimateMs, graceMs);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
