import { quote } from '../../../api/go-format.ts';
import type { EndpointAddress, Endpoints, EndpointSlice, Service, ServiceSpec } from '../../../api/types.ts';
import { ipWarnings } from '../ip-warnings.ts';

const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';

/** Of fields that do nothing or will go, and of how addresses are written (upstream: pkg/api/service/warnings.go). */
export function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const ofEach = (ips: string[] | undefined, path: string) =>
    (ips ?? []).flatMap((ip, index) => ipWarnings(ip, `${path}[${index}]`));
  return [
    ...(metadata?.annotations?.[TOPOLOGY_HINTS] === undefined
      ? []
      : [`annotation ${TOPOLOGY_HINTS} is deprecated, please use ${TOPOLOGY_MODE} instead`]),
    ...ofEach(spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []), 'spec.clusterIPs'),
    ...headlessWarnings(spec),
    ...ofEach(spec.externalIPs, 'spec.externalIPs'),
    ...ipWarnings(spec.loadBalancerIP, 'spec.loadBalancerIP'),
    ...externalNameWarnings(spec),
    ...(spec.trafficDistribution === 'PreferClose'
      ? ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']
      : []),
  ];
}

function headlessWarnings({ type, clusterIP, loadBalancerIP, externalIPs, sessionAffinity }: ServiceSpec) {
  if (type !== 'ClusterIP' || clusterIP !== 'None') return [];
  const ignored = [
    ...(loadBalancerIP ? ['loadBalancerIP'] : []),
    ...((externalIPs ?? []).length > 0 ? ['externalIPs'] : []),
    ...(sessionAffinity === 'None' ? [] : ['SessionAffinity']),
  ];
  return ignored.map((field) => `spec.${field} is ignored for headless services`);
}

function externalNameWarnings({ type, externalName, externalIPs }: ServiceSpec): string[] {
  const isExternal = type === 'ExternalName';
  const word = quote('ExternalName');
  return [
    ...(isExternal && (externalIPs ?? []).length > 0
      ? [`spec.externalIPs is ignored when spec.type is ${word}`]
      : []),
    ...(!isExternal && externalName ? [`spec.externalName is ignored when spec.type is not ${word}`] : []),
  ];
}

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const SLICE_CONTROLLERS = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

/** Of how addresses are written, but to the controllers, which write them well (upstream: registry/discovery/endpointslice). */
export function endpointSliceWarnings(slice: EndpointSlice, old?: EndpointSlice): string[] {
  const { metadata, addressType, endpoints = [] } = slice;
  const ofType =
    old === undefined && addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [];
  if (SLICE_CONTROLLERS.includes(metadata?.labels?.[MANAGED_BY] ?? '')) return ofType;
  return [
    ...ofType,
    ...endpoints.flatMap(({ addresses }, endpoint) =>
      (addresses ?? []).flatMap((address, index) =>
        ipWarnings(address, `endpoints[${endpoint}].addresses[${index}]`),
      ),
    ),
  ];
}

/** As of an EndpointSlice (upstream: registry/core/endpoint). */
export function endpointsWarnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata?.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return [];
  const ofList = (list: EndpointAddress[] | undefined, path: string) =>
    (list ?? []).flatMap(({ ip }, index) => ipWarnings(ip, `${path}[${index}].ip`));
  return subsets.flatMap(({ addresses, notReadyAddresses }, index) => [
    ...ofList(addresses, `subsets[${index}].addresses`),
    ...ofList(notReadyAddresses, `subsets[${index}].notReadyAddresses`),
  ]);
}
