import { randomUUID } from 'node:crypto';
import { StatusError } from '../../api/status.ts';
import { timestamp } from '../endpoints/timestamp.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { Feed } from '../storage/feed.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { placeOf } from '../storage/object-store.ts';
import type { Stores } from '../storage/stores.ts';
import { CLUSTER_ROLE_BINDINGS } from './cluster-role-bindings.ts';
import type { BootstrapRole } from './cluster-roles.ts';
import { CLUSTER_ROLES } from './cluster-roles.ts';
import { CONTROLLER_ROLES, NAMESPACE_BINDINGS, NAMESPACE_ROLES } from './controller-roles.ts';
import { namespaceObject, SYSTEM_NAMESPACES, SYSTEM_PRIORITY_CLASSES } from './system-objects.ts';

const RBAC = 'rbac.authorization.k8s.io';
const RBAC_VERSION = `${RBAC}/v1`;

interface BootstrapOptions {
  stores: Stores;
  feed: Feed;
  now(): Date;
}

/** Makes the objects that every cluster has; what is there already stays as it is. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { stores, feed } = options;
  const ensure = (store: ObjectStore, objects: ApiObject[]) =>
    Promise.all(objects.map((object) => createMissing(store, object, options.now())));
  const controllers = CONTROLLER_ROLES.map(({ name, rules }) => ({
    name: `system:controller:${name}`,
    rules,
  }));
  await ensure(stores.named('', 'namespaces'), SYSTEM_NAMESPACES.map(namespaceObject));
  await Promise.all([
    ensure(stores.named('scheduling.k8s.io', 'priorityclasses'), SYSTEM_PRIORITY_CLASSES),
    ensure(stores.named(RBAC, 'clusterroles'), [...CLUSTER_ROLES, ...controllers].map(clusterRole)),
    ensure(stores.named(RBAC, 'clusterrolebindings'), clusterRoleBindings()),
    ensure(stores.named(RBAC, 'roles'), NAMESPACE_ROLES.map(namespaceRole)),
    ensure(stores.named(RBAC, 'rolebindings'), NAMESPACE_BINDINGS.map(namespaceBinding)),
  ]);
  await feed.fresh();
}

async function createMissing(store: ObjectStore, object: ApiObject, now: Date): Promise<void> {
  if (store.peek(placeOf(object)) !== undefined) return;
  const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: timestamp(now) };
  try {
    await store.create({ ...object, metadata });
  } catch (error) {
    // Another API server of the same store made it first.
    if (!(error instanceof StatusError && error.status.reason === 'AlreadyExists')) throw error;
  }
}

const defaults = (name: string, labels: Record<string, string> = {}) => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
});

const clusterRole = ({ name, rules, labels, aggregates }: BootstrapRole): ApiObject => ({
  apiVersion: RBAC_VERSION,
  kind: 'ClusterRole',
  metadata: defaults(name, labels),
  ...(aggregates !== undefined && {
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: 'true' } }] },
  }),
  rules: rules ?? [],
});

const clusterRoleBindings = (): ApiObject[] => [
  ...CLUSTER_ROLE_BINDINGS.map(({ role, subjects }) => clusterRoleBinding(role, subjects)),
  ...CONTROLLER_ROLES.map(({ name }) =>
    clusterRoleBinding(`system:controller:${name}`, [
      { kind: 'ServiceAccount', namespace: 'kube-system', name },
    ]),
  ),
];

const clusterRoleBinding = (role: string, subjects: unknown[]): ApiObject => ({
  apiVersion: RBAC_VERSION,
  kind: 'ClusterRoleBinding',
  metadata: defaults(role),
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  subjects,
});

const namespaceRole = ({ namespace, name, rules }: (typeof NAMESPACE_ROLES)[number]): ApiObject => ({
  apiVersion: RBAC_VERSION,
  kind: 'Role',
  metadata: { ...defaults(name), namespace },
  rules,
});

const namespaceBinding = ({
  namespace,
  name,
  role,
  subjects,
}: (typeof NAMESPACE_BINDINGS)[number]): ApiObject => ({
  apiVersion: RBAC_VERSION,
  kind: 'RoleBinding',
  metadata: { ...defaults(name), namespace },
  roleRef: { apiGroup: RBAC, kind: 'Role', name: role },
  subjects,
});
