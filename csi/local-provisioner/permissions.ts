import type { ClusterRole, ClusterRoleBinding } from '../../api/types.ts';

/** The group of the nodes' local provisioners: a node's own identity may not make volumes. */
export const localProvisionersGroup = 'podwright:local-volume-provisioners';

const apiGroup = 'rbac.authorization.k8s.io';
const apiVersion = `${apiGroup}/v1`;
const nodesRole = 'podwright:local-volume-provisioner-nodes';

/** What the group may: upstream's two roles, one for volumes (which every cluster has) and one to read nodes. */
export const localProvisionerRole: ClusterRole = {
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name: nodesRole },
  rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }],
};

export const localProvisionerBindings: ClusterRoleBinding[] = [
  ['podwright:local-volume-provisioner-volumes', 'system:persistent-volume-provisioner'] as const,
  [nodesRole, nodesRole] as const,
].map(([name, role]) => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup, kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup, kind: 'Group', name: localProvisionersGroup }],
}));
