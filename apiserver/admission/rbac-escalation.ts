import type { PolicyRule, RoleBinding } from '../../api/types.ts';
import type { AdmissionOptions } from './plugins.ts';
import { SYSTEM_PRIVILEGED_GROUP } from '../authentication/user.ts';
import { describeRule, uncoveredRules } from '../authorization/covers.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { refuse } from './pod-creation.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** Nobody gives rights that they don't have themselves, unless allowed to `escalate` or `bind` (upstream: registry/rbac policybased). */
export const rbacEscalation = ({ authorizer, rbac }: AdmissionOptions): AdmissionPlugin => {
  const may = (
    { request, object }: AdmissionAttributes,
    verb: string,
    resource: string,
    name: string,
  ): boolean =>
    authorizer.authorize({
      user: request.user,
      verb,
      isResource: true,
      path: '',
      group: GROUP,
      version: 'v1',
      resource,
      subresource: '',
      namespace: object?.metadata.namespace ?? '',
      name,
    }).allowed;

  const check = (attributes: AdmissionAttributes, rules: PolicyRule[]): void => {
    const { user } = attributes.request;
    const namespace = attributes.object?.metadata.namespace ?? '';
    const held = rbac.rulesFor(user, namespace).map(({ rule }) => rule);
    const missing = uncoveredRules(rules, held);
    if (missing.length === 0) return;
    const groups = user.groups.map((group) => JSON.stringify(group)).join(' ');
    const list = missing.map(describeRule).join('\n');
    const why = `user ${JSON.stringify(user.username)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${list}`;
    throw refuse(attributes, why);
  };

  return {
    name: 'RBACEscalation',
    validate(attributes) {
      const { operation, request, object } = attributes;
      const { kind, user } = request;
      if (kind.group !== GROUP || operation === 'DELETE' || object === undefined) return;
      if (user.groups.includes(SYSTEM_PRIVILEGED_GROUP)) return;
      const name = object.metadata.name ?? '';
      if (kind.plural === 'roles' || kind.plural === 'clusterroles') {
        if (!may(attributes, 'escalate', kind.plural, name))
          check(attributes, (object['rules'] ?? []) as PolicyRule[]);
        return;
      }
      const { roleRef } = object as unknown as RoleBinding;
      const plural = roleRef.kind === 'Role' ? 'roles' : 'clusterroles';
      if (may(attributes, 'bind', plural, roleRef.name)) return;
      check(attributes, rbac.rulesOfReference(roleRef, object.metadata.namespace ?? ''));
    },
  };
};
