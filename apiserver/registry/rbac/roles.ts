import type {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
  RbacV1Subject,
} from '../../../api/types.ts';
import type { Column } from '../kind.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../printers/columns.ts';

const place = { group: 'rbac.authorization.k8s.io', version: 'v1', verbs: ALL_VERBS };

export const role = defineKind<Role>({
  ...place,
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
  strategy: { allowCreateOnUpdate: true },
});

export const clusterRole = defineKind<ClusterRole>({
  ...place,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  strategy: { allowCreateOnUpdate: true },
});

const subjectsOf = (kind: string, subjects: RbacV1Subject[] | undefined): string =>
  (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');

const bindingColumns = <T extends RoleBinding | ClusterRoleBinding>(): Column<T>[] => [
  nameColumn<T>(),
  text(
    'Role',
    'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace.',
    ({ roleRef }: T) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`,
  ),
  ageColumn<T>(),
  wide(text('Users', 'Users in the roleBinding', ({ subjects }: T) => subjectsOf('User', subjects))),
  wide(text('Groups', 'Groups in the roleBinding', ({ subjects }: T) => subjectsOf('Group', subjects))),
  wide(
    text('ServiceAccounts', 'ServiceAccounts in the roleBinding', ({ subjects }: T) =>
      subjectsOf('ServiceAccount', subjects),
    ),
  ),
];

export const roleBinding = defineKind<RoleBinding>({
  ...place,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  columns: bindingColumns<RoleBinding>(),
  strategy: { allowCreateOnUpdate: true },
});

export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  ...place,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  columns: bindingColumns<ClusterRoleBinding>(),
  strategy: { allowCreateOnUpdate: true },
});
