import type { RbacV1Subject } from '../../api/types.ts';

const RBAC = 'rbac.authorization.k8s.io';
const user = (name: string): RbacV1Subject => ({ kind: 'User', apiGroup: RBAC, name });
const group = (name: string): RbacV1Subject => ({ kind: 'Group', apiGroup: RBAC, name });
const account = (namespace: string, name: string): RbacV1Subject => ({
  kind: 'ServiceAccount',
  namespace,
  name,
});

/** Who has which ClusterRole from the start; a binding has its role's name (upstream: bootstrappolicy ClusterRoleBindings). */
export const CLUSTER_ROLE_BINDINGS: { role: string; name?: string; subjects: RbacV1Subject[] }[] = [
  { role: 'cluster-admin', subjects: [group('system:masters')] },
  { role: 'system:monitoring', subjects: [group('system:monitoring')] },
  { role: 'system:discovery', subjects: [group('system:authenticated')] },
  { role: 'system:basic-user', subjects: [group('system:authenticated')] },
  {
    role: 'system:public-info-viewer',
    subjects: [group('system:authenticated'), group('system:unauthenticated')],
  },
  { role: 'system:node-proxier', subjects: [user('system:kube-proxy')] },
  { role: 'system:kube-controller-manager', subjects: [user('system:kube-controller-manager')] },
  { role: 'system:kube-dns', subjects: [account('kube-system', 'kube-dns')] },
  { role: 'system:kube-scheduler', subjects: [user('system:kube-scheduler')] },
  { role: 'system:volume-scheduler', subjects: [user('system:kube-scheduler')] },
  { role: 'system:node', subjects: [] },
  { role: 'system:service-account-issuer-discovery', subjects: [group('system:serviceaccounts')] },
];
