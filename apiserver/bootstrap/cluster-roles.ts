import type { PolicyRule } from '../../api/types.ts';
import { NODE_RULES } from './node-rules.ts';
import { EVENTS_RULE, pathRule, READ, READ_UPDATE, READ_WRITE, rule } from './rule.ts';
import { ADMIN_RULES, EDIT_RULES, VIEW_RULES } from './user-roles.ts';

/** A ClusterRole that exists from the start; `aggregates` makes it the sum of the roles with that label. */
export interface BootstrapRole {
  name: string;
  rules?: PolicyRule[];
  labels?: Record<string, string>;
  aggregates?: string;
}

const aggregateTo = (name: string): string => `rbac.authorization.k8s.io/aggregate-to-${name}`;
const aggregated = (name: string): Record<string, string> => ({ [aggregateTo(name)]: 'true' });

const HEALTH = '/livez /readyz /healthz';
const LEASES = 'coordination.k8s.io';

/** Roles of users (upstream: bootstrappolicy ClusterRoles, v1.36). */
const USER_ROLES: BootstrapRole[] = [
  { name: 'cluster-admin', rules: [rule('*', '*', '*'), pathRule('*', '*')] },
  { name: 'admin', aggregates: aggregateTo('admin') },
  { name: 'edit', aggregates: aggregateTo('edit'), labels: aggregated('admin') },
  { name: 'view', aggregates: aggregateTo('view'), labels: aggregated('edit') },
  { name: 'system:aggregate-to-admin', rules: ADMIN_RULES, labels: aggregated('admin') },
  { name: 'system:aggregate-to-edit', rules: EDIT_RULES, labels: aggregated('edit') },
  { name: 'system:aggregate-to-view', rules: VIEW_RULES, labels: aggregated('view') },
  {
    name: 'system:discovery',
    rules: [pathRule('get', `${HEALTH} /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*`)],
  },
  { name: 'system:public-info-viewer', rules: [pathRule('get', `${HEALTH} /version /version/`)] },
  {
    name: 'system:monitoring',
    rules: [
      pathRule('get', `/metrics /metrics/slis ${HEALTH} /livez/* /readyz/* /healthz/*`),
      rule('get', '', 'nodes/metrics'),
    ],
  },
  {
    name: 'system:basic-user',
    rules: [
      rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
      rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      pathRule(
        'get',
        '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
      ),
    ],
  },
];

/** Roles of the system's own components. */
const COMPONENT_ROLES: BootstrapRole[] = [
  { name: 'system:node', rules: NODE_RULES },
  {
    name: 'system:node-problem-detector',
    rules: [rule('get', '', 'nodes'), rule('patch', '', 'nodes/status'), EVENTS_RULE],
  },
  {
    name: 'system:node-bootstrapper',
    rules: [rule(['create', ...READ], 'certificates.k8s.io', 'certificatesigningrequests')],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    ],
  },
  { name: 'system:kube-aggregator', rules: [rule(READ, '', 'services endpoints')] },
  { name: 'system:kube-dns', rules: [rule('list watch', '', 'endpoints services')] },
  {
    name: 'system:kube-controller-manager',
    rules: [
      EVENTS_RULE,
      rule('create', LEASES, 'leases'),
      rule('get update', LEASES, 'leases', 'kube-controller-manager'),
      rule('create', '', 'secrets serviceaccounts'),
      rule('delete', '', 'secrets'),
      rule('get', '', 'namespaces secrets serviceaccounts configmaps'),
      rule('update', '', 'secrets serviceaccounts'),
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      rule('list watch', '*', '*'),
      rule('create', '', 'serviceaccounts/token'),
    ],
  },
  {
    name: 'system:kube-scheduler',
    rules: [
      EVENTS_RULE,
      rule('create', LEASES, 'leases'),
      rule('get update list watch', LEASES, 'leases', 'kube-scheduler'),
      rule(READ_WRITE, LEASES, 'leasecandidates'),
      rule(READ, '', 'nodes'),
      rule('get list watch delete', '', 'pods'),
      rule('create', '', 'pods/binding bindings'),
      rule('patch update', '', 'pods/status'),
      rule(READ, '', 'services replicationcontrollers'),
      rule(READ, ['apps', 'extensions'], 'replicasets'),
      rule(READ, 'apps', 'statefulsets'),
      rule(READ, 'policy', 'poddisruptionbudgets'),
      rule(READ, '', 'persistentvolumeclaims persistentvolumes'),
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      rule(READ, 'storage.k8s.io', 'csinodes volumeattachments csidrivers csistoragecapacities'),
      rule(READ, '', 'namespaces'),
      rule(READ, 'scheduling.k8s.io', 'priorityclasses'),
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      rule(READ_UPDATE, '', 'persistentvolumes'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule(READ_UPDATE, '', 'persistentvolumeclaims'),
    ],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      rule('get list watch create delete', '', 'persistentvolumes'),
      rule('get list watch update', '', 'persistentvolumeclaims'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule('watch', '', 'events'),
      EVENTS_RULE,
    ],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      rule(READ, '', 'nodes'),
      rule('proxy', '', 'nodes'),
      rule('*', '', 'nodes/proxy nodes/metrics nodes/stats nodes/log nodes/pods nodes/healthz nodes/configz'),
    ],
  },
  {
    name: 'system:node-proxier',
    rules: [
      rule('list watch', '', 'services endpoints'),
      rule(READ, '', 'nodes'),
      EVENTS_RULE,
      rule('list watch', 'networking.k8s.io', 'servicecidrs'),
      rule('list watch', 'discovery.k8s.io', 'endpointslices'),
    ],
  },
];

export const CLUSTER_ROLES: BootstrapRole[] = [...USER_ROLES, ...COMPONENT_ROLES];
