import type { ClusterRoleBinding, RoleBinding } from '../types.ts';

const group = 'rbac.authorization.k8s.io';

/** Source: Kubernetes pkg/apis/rbac/v1/defaults.go. */
export function defaultRoleBinding(binding: RoleBinding | ClusterRoleBinding): void {
  if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= group;
  for (const subject of binding.subjects ?? [])
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= group;
}
