import { quote } from '../../api/go-format.ts';
import type { ClusterRole, PolicyRule, RoleBinding } from '../../api/types.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { SYSTEM_PRIVILEGED_GROUP } from '../authentication/user.ts';
import { uncoveredRules } from '../authorization/covers.ts';
import { aggregate, describeMissing } from '../authorization/missing-rights.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import type { AdmissionOptions } from './plugins.ts';
import { refuse } from './pod-creation.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** What an aggregation rule can gather: any role there will ever be. */
const FULL_AUTHORITY: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/**
 * Nobody gives rights that they don't have themselves, unless allowed to `escalate` or `bind` (upstream: the policybased storages of
 * pkg/registry/rbac, https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
 */
export const rbacEscalation = ({ authorizer, rbac }: AdmissionOptions): AdmissionPlugin => {
  const may = (
    { request }: AdmissionAttributes,
    { verb, resource, name }: { verb: string; resource: string; name: string },
  ): boolean =>
    authorizer.authorize({
      user: request.user,
      verb,
      isResource: true,
      path: '',
      group: GROUP,
      version: '*',
      resource,
      subresource: '',
      namespace: request.info.namespace,
      name,
    }).allowed;

  /** Why the user may not give these rules; undefined for rules that the user has. */
  const refusal = async ({ request }: AdmissionAttributes, rules: PolicyRule[]) => {
    const { user, info } = request;
    const held = await rbac.newestRulesFor(user, info.namespace);
    const missing = uncoveredRules(rules, held.rules);
    if (missing.length === 0) return undefined;
    const groups = user.groups.map(quote).join(' ');
    const unresolved = held.errors.length === 0 ? '' : `; resolution errors: [${aggregate(held.errors)}]`;
    return `user ${quote(user.username)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${describeMissing(missing)}${unresolved}`;
  };

  const checkRole = async (attributes: AdmissionAttributes, role: ApiObject): Promise<void> => {
    const { request, oldObject } = attributes;
    // The name in the path: a right to escalate one role of that name is none to create it.
    const resource = request.kind.plural;
    if (may(attributes, { verb: 'escalate', resource, name: request.info.name })) return;
    if (changesOnlyOwnership(role, oldObject)) return;
    const why = await refusal(attributes, (role as unknown as ClusterRole).rules ?? []);
    if (why !== undefined) throw refuse(attributes, why);
    // The old one's, too: who takes a role out of aggregation keeps it from being tightened.
    if (!aggregates(role) && !aggregates(oldObject)) return;
    if ((await refusal(attributes, FULL_AUTHORITY)) === undefined) return;
    throw refuse(attributes, 'must have cluster-admin privileges to use the aggregationRule');
  };

  const checkBinding = async (attributes: AdmissionAttributes, binding: ApiObject): Promise<void> => {
    const { request, oldObject } = attributes;
    if (changesOnlyOwnership(binding, oldObject)) return;
    const { roleRef } = binding as unknown as RoleBinding;
    const resource = roleRef.kind === 'Role' ? 'roles' : 'clusterroles';
    if (may(attributes, { verb: 'bind', resource, name: roleRef.name })) return;
    const rules = await rbac.rulesOfReference(roleRef, request.info.namespace);
    const why = await refusal(attributes, rules);
    if (why !== undefined) throw refuse(attributes, why);
  };

  return {
    name: 'RBACEscalation',
    async validate(attributes) {
      const { operation, request, object } = attributes;
      const { kind, user } = request;
      if (kind.group !== GROUP || operation === 'DELETE' || object === undefined) return;
      if (user.groups.includes(SYSTEM_PRIVILEGED_GROUP)) return;
      const isRole = kind.plural === 'roles' || kind.plural === 'clusterroles';
      await (isRole ? checkRole(attributes, object) : checkBinding(attributes, object));
    },
  };
};

const aggregates = (role: ApiObject | undefined): boolean =>
  ((role as ClusterRole | undefined)?.aggregationRule?.clusterRoleSelectors ?? []).length > 0;

/** True for what the garbage collector does to let an object go: it grants nothing (upstream: registry/rbac IsOnlyMutatingGCFields). */
function changesOnlyOwnership(object: ApiObject, old: ApiObject | undefined): boolean {
  if (old === undefined) return false;
  const { ownerReferences, finalizers } = old.metadata;
  return semanticEqual({ ...object, metadata: { ...object.metadata, ownerReferences, finalizers } }, old);
}
