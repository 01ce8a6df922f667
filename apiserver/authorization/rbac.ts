import { quote } from '../../api/go-format.ts';
import { notFound, qualified } from '../../api/status.ts';
import type { ClusterRole, PolicyRule, RoleBinding, RbacV1Subject } from '../../api/types.ts';
import type { UserInfo } from '../authentication/user.ts';
import type { Stores } from '../storage/stores.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { aggregate } from './missing-rights.ts';
import { ruleAllows } from './rules.ts';

const GROUP = 'rbac.authorization.k8s.io';
const MEMO_LIMIT = 1000;

/** A rule with the binding that gives it. */
interface BoundRule {
  rule: PolicyRule;
  binding: string;
}

/** A role as bindings name it. */
type RoleReference = Pick<RoleBinding['roleRef'], 'kind' | 'name'>;

/** What a user's bindings give in one namespace, and the roles they name that are not there. */
interface Grants {
  rules: BoundRule[];
  missing: RoleReference[];
}

/** What a user may do, and an error for each role that could not be found. */
export interface ResolvedRules {
  rules: PolicyRule[];
  errors: string[];
}

/**
 * Role-based access control from the cached roles and bindings, memorised per user and namespace until one of them changes
 * (upstream: registry/rbac/validation DefaultRuleResolver).
 */
export class RbacAuthorizer implements Authorizer {
  readonly #stores: Stores;
  readonly #memo = new Map<string, Grants>();

  constructor(stores: Stores) {
    this.#stores = stores;
    for (const plural of ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings']) {
      stores.named(GROUP, plural).cache.listen(() => this.#memo.clear());
    }
  }

  authorize(attributes: Attributes): Decision {
    const { rules, missing } = this.#grants(attributes.user, attributes.namespace);
    const found = rules.find(({ rule }) => ruleAllows(rule, attributes));
    if (found !== undefined) return { allowed: true, reason: `RBAC: allowed by ${found.binding}` };
    if (missing.length === 0) return { allowed: false, reason: '' };
    return { allowed: false, reason: `RBAC: ${aggregate(missing.map(missingText))}` };
  }

  /** Everything that a user may do in a namespace ('' is the cluster scope), and what could not be found. */
  rulesFor(user: UserInfo, namespace: string): ResolvedRules {
    const { rules, missing } = this.#grants(user, namespace);
    return { rules: rules.map(({ rule }) => rule), errors: missing.map(missingText) };
  }

  /**
   * The same after all writes that were acknowledged before this call. Upstream checks an escalation against the registry, not
   * against caches: whoever has just been given a right can pass it on.
   */
  async newestRulesFor(user: UserInfo, namespace: string): Promise<ResolvedRules> {
    await this.#stores.named(GROUP, 'roles').feed.fresh();
    const { rules, missing } = this.#grants(user, namespace);
    const errors = missing.map((reference) => notFoundText(pluralOf(reference), reference.name));
    return { rules: rules.map(({ rule }) => rule), errors };
  }

  /** The newest rules of the role that a binding in `namespace` names. Throws 404. */
  async rulesOfReference(reference: RoleReference, namespace: string): Promise<PolicyRule[]> {
    const resource = pluralOf(reference);
    const entry = await this.#stores.named(GROUP, resource).find(placeOf(reference, namespace));
    if (entry === undefined) throw notFound({ group: GROUP, resource }, reference.name);
    return (entry.object as unknown as ClusterRole).rules ?? [];
  }

  #grants(user: UserInfo, namespace: string): Grants {
    const key = JSON.stringify([user.username, user.groups, namespace]);
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const grants: Grants = { rules: [], missing: [] };
    this.#addBindings(grants, { kind: 'ClusterRoleBinding', user, namespace: '' });
    if (namespace !== '') this.#addBindings(grants, { kind: 'RoleBinding', user, namespace });
    if (this.#memo.size >= MEMO_LIMIT) this.#memo.clear();
    this.#memo.set(key, grants);
    return grants;
  }

  /** What the bindings of a kind give to the user; '' is the namespace of cluster role bindings. */
  #addBindings(
    { rules, missing }: Grants,
    { kind, user, namespace }: { kind: string; user: UserInfo; namespace: string },
  ): void {
    const store = this.#stores.named(GROUP, `${kind.toLowerCase()}s`);
    const scope = namespace === '' ? store.prefix : `${store.prefix}${namespace}/`;
    for (const { object } of store.cache.list(scope)) {
      const { roleRef, subjects, metadata } = object as unknown as RoleBinding;
      const subject = subjects?.find((candidate) => isSubject(candidate, user, namespace));
      if (subject === undefined) continue;
      const role = this.#stores.named(GROUP, pluralOf(roleRef)).peek(placeOf(roleRef, namespace));
      if (role === undefined) missing.push(roleRef);
      const name = quote([metadata?.name ?? '', namespace].filter(Boolean).join('/'));
      const binding = `${kind} ${name} of ${roleRef.kind} ${quote(roleRef.name)} to ${describe(subject, namespace)}`;
      const given = (role as unknown as ClusterRole | undefined)?.rules ?? [];
      rules.push(...given.map((rule) => ({ rule, binding })));
    }
  }
}

const pluralOf = ({ kind }: RoleReference): string => (kind === 'Role' ? 'roles' : 'clusterroles');

const placeOf = ({ kind, name }: RoleReference, namespace: string) => ({
  namespace: kind === 'Role' ? namespace : '',
  name,
});

const notFoundText = (resource: string, name: string): string =>
  `${qualified({ group: GROUP, resource })} ${quote(name)} not found`;

/** Upstream's authorizer asks listers, whose errors name the kind: role.rbac.authorization.k8s.io "x" not found. */
const missingText = ({ kind, name }: RoleReference): string => notFoundText(kind.toLowerCase(), name);

function isSubject(subject: RbacV1Subject, user: UserInfo, namespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return user.username === subject.name;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount': {
      const home = subject.namespace || namespace;
      return home !== '' && user.username === `system:serviceaccount:${home}:${subject.name}`;
    }
    default:
      return false;
  }
}

const describe = ({ kind, name, namespace: home }: RbacV1Subject, namespace: string): string =>
  `${kind} ${quote(kind === 'ServiceAccount' ? `${name}/${home || namespace}` : name)}`;
