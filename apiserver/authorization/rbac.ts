import type { ClusterRole, PolicyRule, RoleBinding, RbacV1Subject } from '../../api/types.ts';
import type { UserInfo } from '../authentication/user.ts';
import type { Stores } from '../storage/stores.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import { ruleAllows } from './rules.ts';

const GROUP = 'rbac.authorization.k8s.io';
const MEMO_LIMIT = 1000;

/** A rule with the binding that gives it. */
export interface BoundRule {
  rule: PolicyRule;
  binding: string;
}

/** Role-based access control from the cached roles and bindings, memorised per user and namespace until one of them changes. */
export class RbacAuthorizer implements Authorizer {
  readonly #stores: Stores;
  readonly #memo = new Map<string, BoundRule[]>();

  constructor(stores: Stores) {
    this.#stores = stores;
    for (const plural of ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings']) {
      stores.named(GROUP, plural).cache.listen(() => this.#memo.clear());
    }
  }

  authorize(attributes: Attributes) {
    const found = this.rulesFor(attributes.user, attributes.namespace).find(({ rule }) =>
      ruleAllows(rule, attributes),
    );
    return found === undefined
      ? { allowed: false, reason: '' }
      : { allowed: true, reason: `RBAC: allowed by ${found.binding}` };
  }

  /** Everything that a user may do in a namespace ('' is the cluster scope). */
  rulesFor(user: UserInfo, namespace: string): BoundRule[] {
    const key = JSON.stringify([user.username, user.groups, namespace]);
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const rules = [
      ...this.#clusterRules(user),
      ...(namespace === '' ? [] : this.#namespaceRules(user, namespace)),
    ];
    if (this.#memo.size >= MEMO_LIMIT) this.#memo.clear();
    this.#memo.set(key, rules);
    return rules;
  }

  #clusterRules(user: UserInfo): BoundRule[] {
    const rules: BoundRule[] = [];
    for (const { object } of this.#stores.named(GROUP, 'clusterrolebindings').cache.values()) {
      const { roleRef, subjects, metadata } = object as unknown as RoleBinding;
      const subject = subjects?.find((candidate) => isSubject(candidate, user, ''));
      if (subject === undefined) continue;
      const binding = `ClusterRoleBinding "${metadata?.name ?? ''}" of ClusterRole "${roleRef.name}" to ${describe(subject)}`;
      rules.push(...this.#rulesOf('clusterroles', '', roleRef.name).map((rule) => ({ rule, binding })));
    }
    return rules;
  }

  #namespaceRules(user: UserInfo, namespace: string): BoundRule[] {
    const rules: BoundRule[] = [];
    const store = this.#stores.named(GROUP, 'rolebindings');
    for (const { object } of store.cache.list(`${store.prefix}${namespace}/`)) {
      const { roleRef, subjects, metadata } = object as unknown as RoleBinding;
      const subject = subjects?.find((candidate) => isSubject(candidate, user, namespace));
      if (subject === undefined) continue;
      const binding = `RoleBinding "${metadata?.name ?? ''}/${namespace}" of ${roleRef.kind} "${roleRef.name}" to ${describe(subject)}`;
      const [plural, place] = roleRef.kind === 'Role' ? ['roles', namespace] : ['clusterroles', ''];
      rules.push(...this.#rulesOf(plural, place, roleRef.name).map((rule) => ({ rule, binding })));
    }
    return rules;
  }

  #rulesOf(plural: string, namespace: string, name: string): PolicyRule[] {
    const role = this.#stores.named(GROUP, plural).peek({ namespace, name }) as unknown as
      ClusterRole | undefined;
    return role?.rules ?? [];
  }

  /** The rules of a role that a binding wants to give, or undefined when there is no such role. */
  rulesOfReference(roleRef: { kind: string; name: string }, namespace: string): PolicyRule[] {
    return roleRef.kind === 'Role'
      ? this.#rulesOf('roles', namespace, roleRef.name)
      : this.#rulesOf('clusterroles', '', roleRef.name);
  }
}

function isSubject(subject: RbacV1Subject, user: UserInfo, namespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return user.username === subject.name;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount':
      return user.username === `system:serviceaccount:${subject.namespace ?? namespace}:${subject.name}`;
    default:
      return false;
  }
}

const describe = ({ kind, name, namespace }: RbacV1Subject): string =>
  kind === 'ServiceAccount' ? `ServiceAccount "${name}/${namespace ?? ''}"` : `${kind} "${name}"`;
