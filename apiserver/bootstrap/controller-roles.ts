import type { PolicyRule, RbacV1Subject } from '../../api/types.ts';
import { EVENTS_RULE, READ, rule } from './rule.ts';

/** What each controller's service account in kube-system may do (upstream: bootstrappolicy controller_policy.go, v1.36). */
export const CONTROLLER_ROLES: { name: string; rules: PolicyRule[] }[] = [
  {
    name: 'attachdetach-controller',
    rules: [
      rule('list watch', '', 'persistentvolumeclaims persistentvolumes'),
      rule(READ, '', 'nodes'),
      rule('patch update', '', 'nodes/status'),
      rule('list watch', '', 'pods'),
      EVENTS_RULE,
      rule('create delete get list watch', 'storage.k8s.io', 'volumeattachments'),
      rule(READ, 'storage.k8s.io', 'csidrivers'),
      rule(READ, 'storage.k8s.io', 'csinodes'),
    ],
  },
  {
    name: 'clusterrole-aggregation-controller',
    rules: [rule('escalate get list patch update watch', 'rbac.authorization.k8s.io', 'clusterroles')],
  },
  {
    name: 'cronjob-controller',
    rules: [
      rule('get list update watch', 'batch', 'cronjobs'),
      rule('create delete get list patch update watch', 'batch', 'jobs'),
      rule('update', 'batch', 'cronjobs/status'),
      rule('update', 'batch', 'cronjobs/finalizers'),
      rule('delete list watch', '', 'pods'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'daemon-set-controller',
    rules: [
      rule(READ, ['apps', 'extensions'], 'daemonsets'),
      rule('update', ['apps', 'extensions'], 'daemonsets/status'),
      rule('update', ['apps', 'extensions'], 'daemonsets/finalizers'),
      rule('list watch', '', 'nodes'),
      rule('create delete list patch watch', '', 'pods'),
      rule('create', '', 'pods/binding'),
      rule('create delete get list patch update watch', 'apps', 'controllerrevisions'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'deployment-controller',
    rules: [
      rule('get list update watch', ['apps', 'extensions'], 'deployments'),
      rule('update', ['apps', 'extensions'], 'deployments/status'),
      rule('update', ['apps', 'extensions'], 'deployments/finalizers'),
      rule('create delete get list patch update watch', ['apps', 'extensions'], 'replicasets'),
      rule('get list update watch', '', 'pods'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'disruption-controller',
    rules: [
      rule(READ, ['apps', 'extensions'], 'deployments'),
      rule(READ, ['apps', 'extensions'], 'replicasets'),
      rule(READ, '', 'replicationcontrollers'),
      rule(READ, 'policy', 'poddisruptionbudgets'),
      rule(READ, 'apps', 'statefulsets'),
      rule('update', 'policy', 'poddisruptionbudgets/status'),
      rule('patch update', '', 'pods/status'),
      rule('get', '*', '*/scale'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'endpoint-controller',
    rules: [
      rule(READ, '', 'pods services'),
      rule('create delete get list update watch', '', 'endpoints'),
      rule('create', '', 'endpoints/restricted'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'endpointslice-controller',
    rules: [
      rule(READ, '', 'nodes pods services'),
      rule('update', '', 'services/finalizers'),
      rule('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'endpointslicemirroring-controller',
    rules: [
      rule(READ, '', 'endpoints services'),
      rule('update', '', 'services/finalizers'),
      rule('update', '', 'endpoints/finalizers'),
      rule('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'ephemeral-volume-controller',
    rules: [
      rule(READ, '', 'pods'),
      rule('update', '', 'pods/finalizers'),
      rule('create get list watch', '', 'persistentvolumeclaims'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'expand-controller',
    rules: [
      rule('get list patch update watch', '', 'persistentvolumes'),
      rule('patch update', '', 'persistentvolumeclaims/status'),
      rule(READ, '', 'persistentvolumeclaims'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'generic-garbage-collector',
    rules: [rule('delete get list patch update watch', '*', '*'), EVENTS_RULE],
  },
  {
    name: 'job-controller',
    rules: [
      rule('get list patch update watch', 'batch', 'jobs'),
      rule('update', 'batch', 'jobs/status'),
      rule('update', 'batch', 'jobs/finalizers'),
      rule('create delete list patch watch', '', 'pods'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'namespace-controller',
    rules: [
      rule('delete get list watch', '', 'namespaces'),
      rule('update', '', 'namespaces/finalize namespaces/status'),
      rule('delete deletecollection get list watch', '*', '*'),
    ],
  },
  {
    name: 'node-controller',
    rules: [
      rule('delete get list patch update watch', '', 'nodes'),
      rule('patch update', '', 'nodes/status'),
      rule('patch update', '', 'pods/status'),
      rule('delete get list watch', '', 'pods'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'persistent-volume-binder',
    rules: [
      rule('create delete get list update watch', '', 'persistentvolumes'),
      rule('update', '', 'persistentvolumes/status'),
      rule('get list update watch', '', 'persistentvolumeclaims'),
      rule('update', '', 'persistentvolumeclaims/status'),
      rule('create delete get list watch', '', 'pods'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule('list watch', '', 'nodes'),
      EVENTS_RULE,
      rule('watch', '', 'events'),
    ],
  },
  {
    name: 'pod-garbage-collector',
    rules: [rule('delete list watch', '', 'pods'), rule(READ, '', 'nodes'), rule('patch', '', 'pods/status')],
  },
  {
    name: 'pv-protection-controller',
    rules: [rule('get list update watch', '', 'persistentvolumes'), EVENTS_RULE],
  },
  {
    name: 'pvc-protection-controller',
    rules: [
      rule('get list update watch', '', 'persistentvolumeclaims'),
      rule('update', '', 'persistentvolumeclaims/status'),
      rule(READ, '', 'pods'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'replicaset-controller',
    rules: [
      rule('get list update watch', ['apps', 'extensions'], 'replicasets'),
      rule('update', ['apps', 'extensions'], 'replicasets/status'),
      rule('update', ['apps', 'extensions'], 'replicasets/finalizers'),
      rule('create delete list patch watch', '', 'pods'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'replication-controller',
    rules: [
      rule('get list update watch', '', 'replicationcontrollers'),
      rule('update', '', 'replicationcontrollers/status'),
      rule('update', '', 'replicationcontrollers/finalizers'),
      rule('create delete list patch watch', '', 'pods'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'resourcequota-controller',
    rules: [rule('list watch', '*', '*'), rule('update', '', 'resourcequotas/status'), EVENTS_RULE],
  },
  {
    name: 'root-ca-cert-publisher',
    rules: [rule('create update', '', 'configmaps'), EVENTS_RULE],
  },
  {
    name: 'service-account-controller',
    rules: [rule('create', '', 'serviceaccounts'), EVENTS_RULE],
  },
  {
    name: 'statefulset-controller',
    rules: [
      rule('list watch', '', 'pods'),
      rule(READ, 'apps', 'statefulsets'),
      rule('update', 'apps', 'statefulsets/status'),
      rule('update', 'apps', 'statefulsets/finalizers'),
      rule('create delete get patch update', '', 'pods'),
      rule('create delete get list patch update watch', 'apps', 'controllerrevisions'),
      rule('create get list watch', '', 'persistentvolumeclaims'),
      rule('delete update', '', 'persistentvolumeclaims'),
      rule('update', '', 'pods/finalizers'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'ttl-after-finished-controller',
    rules: [rule('delete get list watch', 'batch', 'jobs'), EVENTS_RULE],
  },
  {
    name: 'ttl-controller',
    rules: [rule('list patch update watch', '', 'nodes'), EVENTS_RULE],
  },
  {
    name: 'volumeattributesclass-protection-controller',
    rules: [
      rule(READ, '', 'persistentvolumeclaims'),
      rule(READ, '', 'persistentvolumes'),
      rule('get list update watch', 'storage.k8s.io', 'volumeattributesclasses'),
      EVENTS_RULE,
    ],
  },
];

/** Roles within the system namespaces (upstream: bootstrappolicy namespace_policy.go). */
export const NAMESPACE_ROLES: { namespace: string; name: string; rules: PolicyRule[] }[] = [
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: [rule(READ, '', 'configmaps', 'extension-apiserver-authentication')],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    rules: [
      rule('create get list update watch', 'coordination.k8s.io', 'leases'),
      rule('create get list update watch', 'coordination.k8s.io', 'leasecandidates'),
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    rules: [
      rule('create get list update watch', 'coordination.k8s.io', 'leases'),
      rule('create get list update watch', 'coordination.k8s.io', 'leasecandidates'),
    ],
  },
];

export const NAMESPACE_BINDINGS: {
  namespace: string;
  name: string;
  role: string;
  subjects: RbacV1Subject[];
}[] = [
  {
    namespace: 'kube-system',
    name: 'system::extension-apiserver-authentication-reader',
    role: 'extension-apiserver-authentication-reader',
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-controller-manager' },
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-scheduler' },
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    role: 'system::leader-locking-kube-controller-manager',
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-controller-manager' },
      { kind: 'ServiceAccount', name: 'kube-controller-manager', namespace: 'kube-system' },
      { kind: 'ServiceAccount', name: 'leader-election-controller', namespace: 'kube-system' },
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    role: 'system::leader-locking-kube-scheduler',
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-scheduler' },
      { kind: 'ServiceAccount', name: 'kube-scheduler', namespace: 'kube-system' },
    ],
  },
];
