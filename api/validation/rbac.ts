import { isDeepStrictEqual } from 'node:util';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
} from '../types.ts';
import { checkName, checkPresent, complaints, nameIsPathSegment, nameIsSubdomain } from './checks.ts';
import { invalid, notSupported, required } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { validateLabelSelector } from './label-selector.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const group = 'rbac.authorization.k8s.io';

/** Names may be any one segment of a path. Source of all here: Kubernetes pkg/apis/rbac/validation/validation.go. */
export function validateRole(role: Role): FieldError[] {
  return [
    ...validateObjectMeta(role, { namespaced: true, nameRule: nameIsPathSegment }),
    ...validateRules(role.rules, { namespaced: true }),
  ];
}

export function validateRoleUpdate(role: Role, old: Role): FieldError[] {
  return [...validateRole(role), ...validateObjectMetaUpdate(role, old)];
}

export function validateClusterRole(role: ClusterRole): FieldError[] {
  return [
    ...validateObjectMeta(role, { namespaced: false, nameRule: nameIsPathSegment }),
    ...validateRules(role.rules, { namespaced: false }),
    ...(role.aggregationRule === undefined
      ? []
      : validateAggregation(role.aggregationRule.clusterRoleSelectors ?? [])),
  ];
}

export function validateClusterRoleUpdate(role: ClusterRole, old: ClusterRole): FieldError[] {
  return [...validateClusterRole(role), ...validateObjectMetaUpdate(role, old)];
}

function validateAggregation(
  selectors: NonNullable<ClusterRole['aggregationRule']>['clusterRoleSelectors'] & object,
) {
  const path = 'aggregationRule.clusterRoleSelectors';
  if (selectors.length === 0)
    return [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, index) => validateLabelSelector(selector, `${path}[${index}]`));
}

function validateRules(
  rules: PolicyRule[] | undefined,
  { namespaced }: { namespaced: boolean },
): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => [
    ...((rule.verbs ?? []).length === 0
      ? [required(`rules[${index}].verbs`, 'verbs must contain at least one value')]
      : []),
    ...((rule.nonResourceURLs ?? []).length > 0
      ? validateUrlRule(rule, `rules[${index}]`, namespaced)
      : validateResourceRule(rule, `rules[${index}]`)),
  ]);
}

function validateUrlRule(rule: PolicyRule, at: string, namespaced: boolean): FieldError[] {
  const { nonResourceURLs: urls, apiGroups = [], resources = [], resourceNames = [] } = rule;
  const mixed = apiGroups.length + resources.length + resourceNames.length > 0;
  const field = `${at}.nonResourceURLs`;
  return [
    ...(namespaced ? [invalid(field, urls, 'namespaced rules cannot apply to non-resource URLs')] : []),
    ...(mixed
      ? [invalid(field, urls, 'rules cannot apply to both regular resources and non-resource URLs')]
      : []),
  ];
}

function validateResourceRule({ apiGroups = [], resources = [] }: PolicyRule, at: string): FieldError[] {
  return [
    ...(apiGroups.length === 0
      ? [required(`${at}.apiGroups`, 'resource rules must supply at least one api group')]
      : []),
    ...(resources.length === 0
      ? [required(`${at}.resources`, 'resource rules must supply at least one resource')]
      : []),
  ];
}

export function validateRoleBinding(binding: RoleBinding): FieldError[] {
  return validateBinding(binding, { namespaced: true });
}

export function validateClusterRoleBinding(binding: ClusterRoleBinding): FieldError[] {
  return validateBinding(binding, { namespaced: false });
}

/** Checks a changed binding of either kind: it stays a binding of the same role. */
export function validateRoleBindingUpdate(binding: RoleBinding, old: RoleBinding): FieldError[] {
  return [...validateRoleBinding(binding), ...bindingUpdateErrors(binding, old)];
}

export function validateClusterRoleBindingUpdate(
  binding: ClusterRoleBinding,
  old: ClusterRoleBinding,
): FieldError[] {
  return [...validateClusterRoleBinding(binding), ...bindingUpdateErrors(binding, old)];
}

function bindingUpdateErrors(binding: RoleBinding, old: RoleBinding): FieldError[] {
  const { kind, name, apiGroup } = binding.roleRef;
  return [
    ...validateObjectMetaUpdate(binding, old),
    ...(isDeepStrictEqual(binding.roleRef, old.roleRef)
      ? []
      : [invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef')]),
  ];
}

function validateBinding(
  binding: RoleBinding | ClusterRoleBinding,
  options: { namespaced: boolean },
): FieldError[] {
  const { apiGroup = '', kind = '', name } = binding.roleRef ?? {};
  const kinds = options.namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return [
    ...validateObjectMeta(binding, { namespaced: options.namespaced, nameRule: nameIsPathSegment }),
    ...(apiGroup === group ? [] : [notSupported('roleRef.apiGroup', apiGroup, [group])]),
    ...(kinds.includes(kind) ? [] : [notSupported('roleRef.kind', kind, kinds)]),
    ...checkName(name, 'roleRef.name', nameIsPathSegment),
    ...(binding.subjects ?? []).flatMap((subject, index) =>
      validateSubject(subject, `subjects[${index}]`, options),
    ),
  ];
}

function validateSubject(
  subject: RbacV1Subject,
  at: string,
  { namespaced }: { namespaced: boolean },
): FieldError[] {
  const { kind = '', name = '', apiGroup = '', namespace = '' } = subject;
  const nameErrors = checkPresent(name, `${at}.name`);
  switch (kind) {
    case 'ServiceAccount':
      return [
        ...nameErrors,
        ...(name === '' ? [] : complaints(`${at}.name`, name, nameIsSubdomain(name))),
        ...(apiGroup === '' ? [] : [notSupported(`${at}.apiGroup`, apiGroup, [''])]),
        ...(!namespaced && namespace === '' ? [required(`${at}.namespace`)] : []),
      ];
    case 'User':
    case 'Group':
      return [
        ...nameErrors,
        ...(apiGroup === group ? [] : [notSupported(`${at}.apiGroup`, apiGroup, [group])]),
      ];
    default:
      return [...nameErrors, notSupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group'])];
  }
}
