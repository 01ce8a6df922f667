import type { OwnerReference } from '../../api/types.ts';
import { isConflict, isNotFound } from '../../client/errors.ts';
import type { ApiObject } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import type { DiscoveredResource } from '../discovery.ts';
import { deletesDependents, foregroundFinalizer, orphanFinalizer, orphansDependents } from './graph.ts';
import type { GraphNode, OwnerGraph } from './graph.ts';

export interface CollectOptions {
  client: Client;
  graph: OwnerGraph;
  /** Looks a kind up in what the server has; undefined when it hasn't. */
  resourceOf: (apiVersion: string, kind: string) => DiscoveredResource | undefined;
  /** Queues another object. */
  visit: (uid: string) => void;
}

/**
 * Decides about one object, looking at the server rather than the graph before anything is deleted:
 *
 *     all owners absent ─▶ delete             an owner present ─▶ keep, drop the references to absent ones
 *     owners wait for it (foreground) ─▶ delete, in the foreground when it has dependents itself
 *     being deleted in the foreground ─▶ delete dependents, then take the finalizer away
 *     being deleted as orphaning ─▶ take the reference off the dependents, then the finalizer away
 */
export const collect = async (node: GraphNode, options: CollectOptions): Promise<void> => {
  const resource = options.resourceOf(node.apiVersion, node.kind);
  // A kind that the server doesn't serve (any more): nothing is known, so nothing is done.
  if (resource === undefined) return;
  const live = await read(node, { resource, client: options.client });
  if (live === undefined) {
    for (const uid of options.graph.remove(node.uid)) options.visit(uid);
    return;
  }
  if (!node.observed) return;
  if (orphansDependents(node)) return orphan(node, { live, resource }, options);
  if (deletesDependents(node)) return deleteDependents(node, { live, resource }, options);
  if (live.metadata?.deletionTimestamp !== undefined) return;
  await decide(node, { live, resource }, options);
};

interface Live {
  live: ApiObject;
  resource: DiscoveredResource;
}

/** The object as the server has it; undefined when it is gone, or another one has its name. */
const read = async (
  { uid, name, namespace }: Pick<GraphNode, 'uid' | 'name' | 'namespace'>,
  { resource, client }: { resource: DiscoveredResource; client: Client },
): Promise<ApiObject | undefined> => {
  try {
    const scope = resource.namespaced ? { namespace } : {};
    const object = await client.resource(resource.id).get({ name, ...scope });
    return object.metadata?.uid === uid ? object : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const decide = async (node: GraphNode, { live, resource }: Live, options: CollectOptions): Promise<void> => {
  const references = live.metadata?.ownerReferences ?? [];
  if (references.length === 0) return;
  const owners = await Promise.all(
    references.map(async (reference) => ({ reference, state: await ownerState(reference, node, options) })),
  );
  const having = (state: OwnerState) => owners.filter((owner) => owner.state === state);
  if (having('unknown').length > 0) return;
  const solid = having('solid').map(({ reference }) => reference);
  if (solid.length > 0) {
    if (solid.length < references.length) await setOwners(live, { resource, owners: solid, ...options });
    return;
  }
  const waits = having('waiting').length > 0;
  const blocks = references.some(({ blockOwnerDeletion }) => blockOwnerDeletion === true);
  if (waits && blocks && [...node.dependents].some(deletesDependents)) {
    // It may be a circle, in which each would wait for the other's end: it no longer holds up its owners.
    const unblocking = references.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
    return setOwners(live, { resource, owners: unblocking, ...options });
  }
  const propagationPolicy = waits && node.dependents.size > 0 ? 'Foreground' : policyOf(live);
  const { name = '', namespace, uid, resourceVersion } = live.metadata ?? {};
  try {
    const preconditions = { uid, resourceVersion };
    await options.client.resource(resource.id).delete({ name, namespace, propagationPolicy, preconditions });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
};

type OwnerState = 'solid' | 'waiting' | 'absent' | 'unknown';

const ownerState = async (
  reference: OwnerReference,
  dependent: GraphNode,
  { client, resourceOf }: CollectOptions,
): Promise<OwnerState> => {
  const resource = resourceOf(reference.apiVersion, reference.kind);
  if (resource === undefined) return 'unknown';
  // An object without namespace can't be owned by one inside of one; upstream warns and leaves it alone.
  if (resource.namespaced && dependent.namespace === undefined) return 'unknown';
  const live = await read({ ...reference, namespace: dependent.namespace }, { resource, client });
  if (live === undefined) return 'absent';
  const waits = live.metadata?.deletionTimestamp !== undefined;
  return waits && (live.metadata?.finalizers ?? []).includes(foregroundFinalizer) ? 'waiting' : 'solid';
};

const policyOf = ({ metadata }: ApiObject): 'Orphan' | 'Foreground' | 'Background' => {
  const finalizers = metadata?.finalizers ?? [];
  if (finalizers.includes(orphanFinalizer)) return 'Orphan';
  return finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background';
};

const deleteDependents = async (node: GraphNode, { live, resource }: Live, options: CollectOptions) => {
  const blocking = [...node.dependents].filter(({ owners }) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion === true),
  );
  for (const dependent of node.dependents) if (!dependent.isBeingDeleted) options.visit(dependent.uid);
  if (blocking.length === 0)
    await removeFinalizer(live, { resource, finalizer: foregroundFinalizer, ...options });
};

const orphan = async (node: GraphNode, { live, resource }: Live, options: CollectOptions) => {
  await Promise.all(
    [...node.dependents].map(async (dependent) => {
      const dependentResource = options.resourceOf(dependent.apiVersion, dependent.kind);
      if (dependentResource === undefined) return;
      const object = await read(dependent, { resource: dependentResource, client: options.client });
      if (object === undefined) return;
      const owners = (object.metadata?.ownerReferences ?? []).filter(({ uid }) => uid !== node.uid);
      await setOwners(object, { resource: dependentResource, owners, client: options.client });
    }),
  );
  await removeFinalizer(live, { resource, finalizer: orphanFinalizer, ...options });
};

const setOwners = async (
  object: ApiObject,
  { resource, owners, client }: { resource: DiscoveredResource; owners: OwnerReference[]; client: Client },
): Promise<void> => patchMetadata(object, { resource, client, change: { ownerReferences: owners } });

const removeFinalizer = async (
  object: ApiObject,
  { resource, finalizer, client }: { resource: DiscoveredResource; finalizer: string; client: Client },
): Promise<void> => {
  const present = object.metadata?.finalizers ?? [];
  const finalizers = present.filter((other) => other !== finalizer);
  if (finalizers.length < present.length)
    await patchMetadata(object, { resource, client, change: { finalizers } });
};

const patchMetadata = async (
  { metadata = {} }: ApiObject,
  { resource, client, change }: { resource: DiscoveredResource; client: Client; change: object },
): Promise<void> => {
  const { name = '', namespace, uid, resourceVersion } = metadata;
  const patch = { metadata: { uid, resourceVersion, ...change } };
  try {
    await client.resource(resource.id).patch({ name, namespace, type: 'merge', patch });
  } catch (error) {
    if (isNotFound(error)) return;
    if (isConflict(error))
      throw new Error(`${resource.id.resource} ${name} changed meanwhile`, { cause: error });
    throw error;
  }
};
