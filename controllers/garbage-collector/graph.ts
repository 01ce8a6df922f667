import type { OwnerReference } from '../../api/types.ts';
import type { ApiObject } from '../../client/objects.ts';
import type { DiscoveredResource } from '../discovery.ts';

/** An object in the graph of owners; `observed` is false for an owner that only its dependents have told of. */
export interface GraphNode {
  uid: string;
  name: string;
  namespace: string | undefined;
  apiVersion: string;
  kind: string;
  observed: boolean;
  owners: readonly OwnerReference[];
  dependents: Set<GraphNode>;
  isBeingDeleted: boolean;
  finalizers: readonly string[];
}

export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

/** It waits for its dependents to be deleted before it. */
export const deletesDependents = ({ isBeingDeleted, finalizers }: GraphNode): boolean =>
  isBeingDeleted && finalizers.includes(foregroundFinalizer);

/** It waits for its dependents to be let go. */
export const orphansDependents = ({ isBeingDeleted, finalizers }: GraphNode): boolean =>
  isBeingDeleted && finalizers.includes(orphanFinalizer);

/** Which object belongs to which, for all objects of all watched resources. */
export interface OwnerGraph {
  get(uid: string): GraphNode | undefined;
  /** An object is there or has changed. Answers what must be looked at: by uid. */
  observe(object: ApiObject, resource: DiscoveredResource): string[];
  /** Owners that no one has seen, with those that tell of them: what may be known once more kinds are. */
  unresolved(): string[];
  /** An object is gone. Answers what must be looked at: by uid. */
  remove(uid: string): string[];
}

/** An empty graph. */
export const createOwnerGraph = (): OwnerGraph => {
  const nodes = new Map<string, GraphNode>();

  /** Answers owners that nobody has seen yet, and the node itself where an owner isn't what it is called. */
  const link = (node: GraphNode): string[] => {
    const toVisit: string[] = [];
    for (const owner of node.owners) {
      let ownerNode = nodes.get(owner.uid);
      if (ownerNode === undefined) {
        ownerNode = unobserved(owner, node.namespace);
        nodes.set(owner.uid, ownerNode);
      }
      if (!ownerNode.observed) toVisit.push(owner.uid);
      else if (!isCalled(ownerNode, owner, node)) toVisit.push(node.uid);
      ownerNode.dependents.add(node);
    }
    return toVisit;
  };

  const unlink = (node: GraphNode, owners: readonly OwnerReference[]) => {
    for (const { uid } of owners) {
      const owner = nodes.get(uid);
      owner?.dependents.delete(node);
      if (owner?.observed === false && owner.dependents.size === 0) nodes.delete(uid);
    }
  };

  return {
    get: (uid) => nodes.get(uid),
    unresolved: () =>
      [...nodes.values()]
        .filter(({ observed }) => !observed)
        .flatMap(({ uid, dependents }) => [uid, ...[...dependents].map((dependent) => dependent.uid)]),
    observe(object, resource) {
      const { uid = '', name = '', namespace, ownerReferences = [], finalizers = [] } = object.metadata ?? {};
      const previous = nodes.get(uid);
      const node: GraphNode = previous ?? {
        ...unobserved({ apiVersion: '', kind: '', name, uid }, namespace),
      };
      const lost = node.owners.filter((owner) => !ownerReferences.some((other) => other.uid === owner.uid));
      const noLongerBlocked = node.owners.filter(
        ({ uid, blockOwnerDeletion }) =>
          blockOwnerDeletion === true &&
          !ownerReferences.some((other) => other.uid === uid && other.blockOwnerDeletion === true),
      );
      Object.assign(node, {
        name,
        namespace,
        apiVersion: resource.apiVersion,
        kind: resource.kind,
        observed: true,
        owners: ownerReferences,
        isBeingDeleted: object.metadata?.deletionTimestamp !== undefined,
        finalizers,
      } satisfies Partial<GraphNode>);
      nodes.set(uid, node);
      const toVisit = link(node);
      unlink(node, lost);
      if (deletesDependents(node) || orphansDependents(node)) toVisit.push(uid);
      if (deletesDependents(node)) for (const dependent of node.dependents) toVisit.push(dependent.uid);
      // Whose deletion this object no longer blocks may now go on.
      toVisit.push(...lost.map((owner) => owner.uid), ...noLongerBlocked.map((owner) => owner.uid));
      return toVisit;
    },
    remove(uid) {
      const node = nodes.get(uid);
      if (node === undefined) return [];
      const toVisit = [...node.dependents].map((dependent) => dependent.uid);
      for (const owner of node.owners) toVisit.push(owner.uid);
      unlink(node, node.owners);
      // Dependents still name it: they are looked at, and find it absent.
      if (node.dependents.size === 0) nodes.delete(uid);
      else Object.assign(node, { observed: false, owners: [], finalizers: [], isBeingDeleted: false });
      return toVisit;
    },
  };
};

/** A reference tells a uid and a name; that both belong together, and to the same namespace, is anyone's claim. */
const isCalled = (owner: GraphNode, reference: OwnerReference, dependent: GraphNode): boolean =>
  owner.name === reference.name &&
  owner.kind === reference.kind &&
  (owner.namespace === undefined || owner.namespace === dependent.namespace);

const unobserved = (
  { apiVersion, kind, name, uid }: Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid'>,
  namespace: string | undefined,
): GraphNode => ({
  uid,
  name,
  namespace,
  apiVersion,
  kind,
  observed: false,
  owners: [],
  dependents: new Set(),
  isBeingDeleted: false,
  finalizers: [],
});
