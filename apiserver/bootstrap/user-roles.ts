import type { PolicyRule } from '../../api/types.ts';
import { READ, READ_WRITE, rule, WRITE } from './rule.ts';

const APPS = [
  'controllerrevisions',
  ...withScale('deployments replicasets statefulsets'),
  'daemonsets',
  'daemonsets/status',
].join(' ');

function withScale(names: string): string[] {
  return names.split(' ').flatMap((name) => [name, `${name}/status`, `${name}/scale`]);
}

/** Reading what does not escalate (aggregated into view, edit and admin). */
export const VIEW_RULES: PolicyRule[] = [
  rule(
    READ,
    '',
    'pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps',
  ),
  rule(
    READ,
    '',
    'limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status replicationcontrollers/status pods/log',
  ),
  rule(READ, '', 'namespaces'),
  rule(READ, ['', 'events.k8s.io'], 'events'),
  rule(READ, 'discovery.k8s.io', 'endpointslices'),
  rule(READ, 'apps', APPS),
  rule(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule(READ, 'batch', 'jobs cronjobs cronjobs/status jobs/status'),
  rule(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule(READ, 'networking.k8s.io', 'networkpolicies ingresses ingresses/status'),
  rule(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
];

/** Writing all user-level objects, and reading those that escalate (aggregated into edit and admin). */
export const EDIT_RULES: PolicyRule[] = [
  rule(READ, '', 'pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy'),
  rule('impersonate', '', 'serviceaccounts'),
  rule(WRITE, '', 'pods pods/attach pods/proxy pods/exec pods/portforward'),
  rule('create', '', 'pods/eviction'),
  rule(
    WRITE,
    '',
    'replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy persistentvolumeclaims configmaps secrets',
  ),
  rule('create', '', 'serviceaccounts/token'),
  rule(WRITE, ['', 'events.k8s.io'], 'events'),
  rule(
    WRITE,
    'apps',
    'statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback replicasets replicasets/scale',
  ),
  rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  rule(WRITE, 'batch', 'jobs cronjobs'),
  rule(WRITE, 'policy', 'poddisruptionbudgets'),
  rule(WRITE, 'networking.k8s.io', 'networkpolicies ingresses'),
  rule(READ_WRITE, 'coordination.k8s.io', 'leases'),
  rule(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
];

/** The power to give power within a namespace (aggregated into admin). */
export const ADMIN_RULES: PolicyRule[] = [
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule(READ_WRITE, 'rbac.authorization.k8s.io', 'roles rolebindings'),
];
