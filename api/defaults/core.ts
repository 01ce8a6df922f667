import type {
  Endpoints,
  EndpointSlice,
  LimitRange,
  Namespace,
  Node,
  PodTemplate,
  Secret,
  Service,
} from '../types.ts';
import { canonicalList } from './resources.ts';
import { defaultPodSpec } from './pod.ts';

/** Every namespace carries its own name as a label. */
export function defaultNamespace(namespace: Namespace): void {
  const { name } = namespace.metadata ?? {};
  if (name !== undefined && name !== '')
    namespace.metadata = {
      ...namespace.metadata,
      labels: { ...namespace.metadata?.labels, 'kubernetes.io/metadata.name': name },
    };
  namespace.spec ??= {};
  namespace.status = { ...namespace.status, phase: namespace.status?.phase || 'Active' };
}

export function defaultNode(node: Node): void {
  const spec = (node.spec ??= {});
  // `podCIDR` is the first of `podCIDRs`; either may be given (pkg/apis/core/v1/conversion.go).
  const { podCIDR = '', podCIDRs = [] } = spec;
  if (podCIDR !== '' && podCIDRs[0] !== podCIDR) spec.podCIDRs = [podCIDR];
  else if (podCIDR === '' && podCIDRs[0] !== undefined) spec.podCIDR = podCIDRs[0];
  const status = (node.status ??= {});
  canonicalList(status.capacity);
  canonicalList(status.allocatable);
  if (status.allocatable === undefined && status.capacity !== undefined)
    status.allocatable = { ...status.capacity };
}

/** What is given as text goes into the data (upstream: core/v1 Convert_v1_Secret_To_core_Secret). */
export function defaultSecret(secret: Secret): void {
  secret.type ||= 'Opaque';
  for (const [key, value] of Object.entries(secret.stringData ?? {}))
    secret.data = { ...secret.data, [key]: Buffer.from(value).toString('base64') };
  delete secret.stringData;
}

export function defaultPodTemplate(object: PodTemplate): void {
  const template = (object.template ??= {});
  defaultPodSpec((template.spec ??= { containers: [] }));
}

export function defaultLimitRange({ spec }: LimitRange): void {
  for (const item of spec?.limits ?? []) {
    for (const list of [item.default, item.defaultRequest, item.max, item.min, item.maxLimitRequestRatio])
      canonicalList(list);
    if (item.type !== 'Container') continue;
    item.default = { ...item.max, ...item.default };
    item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  }
}

export function defaultService(service: Service): void {
  const spec = (service.spec ??= {});
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP')
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800 },
    };
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  const isExternal =
    spec.type === 'NodePort' || spec.type === 'LoadBalancer' || (spec.externalIPs ?? []).length > 0;
  if (isExternal) spec.externalTrafficPolicy ||= 'Cluster';
  if (['ClusterIP', 'NodePort', 'LoadBalancer'].includes(spec.type)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
}

export function defaultEndpoints({ subsets }: Endpoints): void {
  for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP';
}

/** Source: Kubernetes pkg/apis/discovery/v1/defaults.go. */
export function defaultEndpointSlice({ ports }: EndpointSlice): void {
  for (const port of ports ?? []) {
    port.name ??= '';
    port.protocol ??= 'TCP';
  }
}
