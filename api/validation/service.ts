import { isPortNumber } from '../names.ts';
import type { Service, ServicePort, ServiceSpec } from '../types.ts';
import {
  checkEnum,
  checkIp,
  checkLabel,
  checkQualifiedName,
  checkRequiredEnum,
  checkSubdomain,
  complaints,
  nameIsLabel,
} from './checks.ts';
import { duplicate, forbidden, invalid, required } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { validateCoreObjectMeta, validateCoreObjectMetaUpdate, validateLabels } from './object-meta.ts';
import { checkPort } from './pod/handlers.ts';

/** Checks a new Service. Names may begin with a digit (RelaxedServiceNameValidation). */
export function validateService(service: Service): FieldError[] {
  return [
    ...validateCoreObjectMeta(service, { namespaced: true, nameRule: nameIsLabel }),
    ...validateSpec(service.spec ?? {}),
  ];
}

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(service, old),
    ...checkClusterIpKept(service.spec ?? {}, old.spec ?? {}),
    ...validateSpec(service.spec ?? {}, old.spec),
  ];
}

function validateSpec(spec: ServiceSpec, old: ServiceSpec = {}): FieldError[] {
  const ports = spec.ports ?? [];
  const headless = isHeadless(spec);
  return [
    ...(ports.length === 0 && !headless && spec.type !== 'ExternalName' ? [required('spec.ports')] : []),
    ...checkType(spec),
    ...validatePorts(ports),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...checkSessionAffinity(spec),
    ...checkAddresses(spec, old),
    ...checkRequiredEnum(spec.type, 'spec.type', ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...(spec.type === 'ClusterIP' ? forbidNodePorts(ports) : []),
    ...checkUniquePorts(ports),
    ...checkLoadBalancerFields(spec),
    ...checkTrafficPolicies(spec),
  ];
}

function isHeadless({ clusterIP, clusterIPs }: ServiceSpec): boolean {
  return clusterIP === 'None' || (clusterIPs?.length === 1 && clusterIPs[0] === 'None');
}

function checkType(spec: ServiceSpec): FieldError[] {
  const { type } = spec;
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec))
    return [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`)];
  if (type !== 'ExternalName') return [];
  const given = (['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const).filter(
    (field) => (spec[field] ?? '').length > 0,
  );
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  return [
    ...given.map((field) => forbidden(`spec.${field}`, 'may not be set for ExternalName services')),
    ...(name === '' ? [required('spec.externalName')] : checkSubdomain(name, 'spec.externalName')),
  ];
}

function validatePorts(ports: ServicePort[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const { name = '', protocol, appProtocol } = port;
    const at = `spec.ports[${index}]`;
    const repeated = name !== '' && names.has(name);
    names.add(name);
    return [
      ...(name === '' && ports.length > 1 ? [required(`${at}.name`)] : []),
      ...(name === '' ? [] : checkLabel(name, `${at}.name`)),
      ...(repeated ? [duplicate(`${at}.name`, name)] : []),
      ...complaints(`${at}.port`, port.port ?? 0, isPortNumber(port.port ?? 0)),
      ...checkRequiredEnum(protocol, `${at}.protocol`, ['SCTP', 'TCP', 'UDP']),
      ...checkPort(port.targetPort ?? 0, `${at}.targetPort`),
      ...(appProtocol === undefined ? [] : checkQualifiedName(appProtocol, `${at}.appProtocol`)),
    ];
  });
}

const longestAffinitySeconds = 86400;

function checkSessionAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const errors = checkRequiredEnum(sessionAffinity, 'spec.sessionAffinity', ['ClientIP', 'None']);
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined)
    return [...errors, forbidden(path, 'must not be set when session affinity is None')];
  if (sessionAffinity !== 'ClientIP') return errors;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const field = `${path}.clientIP.timeoutSeconds`;
  if (seconds === undefined) return [...errors, required(field, 'when session affinity type is ClientIP')];
  if (seconds > 0 && seconds <= longestAffinitySeconds) return errors;
  return [
    ...errors,
    invalid(field, seconds, `must be greater than 0 and less than ${longestAffinitySeconds}`),
  ];
}

function checkAddresses(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const list = clusterIpsOf(spec);
  const isNone = list.length === 1 && list[0] === 'None';
  return [
    ...(isNone ? [] : list).flatMap((ip, index) =>
      checkIp(ip, `spec.clusterIPs[${index}]`, clusterIpsOf(old)),
    ),
    ...(spec.externalIPs ?? []).flatMap((ip, index) =>
      checkIp(ip, `spec.externalIPs[${index}]`, old.externalIPs),
    ),
  ];
}

const clusterIpsOf = ({ clusterIPs, clusterIP = '' }: ServiceSpec): string[] =>
  clusterIPs ?? (clusterIP === '' ? [] : [clusterIP]);

function forbidNodePorts(ports: ServicePort[]): FieldError[] {
  return ports.flatMap(({ nodePort = 0 }, index) =>
    nodePort === 0
      ? []
      : [forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'")],
  );
}

function checkUniquePorts(ports: ServicePort[]): FieldError[] {
  const repeats = (keyOf: (port: ServicePort) => string | undefined) =>
    ports.flatMap((port, index) => {
      const key = keyOf(port);
      return key !== undefined && ports.findIndex((other) => keyOf(other) === key) < index
        ? [{ port, index }]
        : [];
    });
  const nodePorts = repeats(({ protocol, nodePort }) => (nodePort ? `${protocol}/${nodePort}` : undefined));
  const numbers = repeats(({ protocol, port }) => `${protocol}/${port}`);
  return [
    ...nodePorts.map(({ port, index }) => duplicate(`spec.ports[${index}].nodePort`, port.nodePort)),
    ...numbers.map(({ port, index }) =>
      duplicate(`spec.ports[${index}]`, {
        Name: '',
        Protocol: port.protocol,
        AppProtocol: null,
        Port: port.port,
        TargetPort: 0,
        NodePort: 0,
      }),
    ),
  ];
}

function checkLoadBalancerFields(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'LoadBalancer') return [];
  const only = "may only be used when `type` is 'LoadBalancer'";
  return [
    ...((spec.loadBalancerSourceRanges ?? []).length > 0
      ? [forbidden('spec.LoadBalancerSourceRanges', only)]
      : []),
    ...(spec.allocateLoadBalancerNodePorts === undefined
      ? []
      : [forbidden('spec.allocateLoadBalancerNodePorts', only)]),
    ...(spec.loadBalancerClass === undefined
      ? []
      : [forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'")]),
  ];
}

function checkTrafficPolicies(spec: ServiceSpec): FieldError[] {
  const { type, externalTrafficPolicy: external = '', trafficDistribution } = spec;
  const field = 'spec.externalTrafficPolicy';
  const isExternal =
    type === 'LoadBalancer' ||
    type === 'NodePort' ||
    (type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
  return [
    ...(isExternal ? checkRequiredEnum(external, field, ['Cluster', 'Local']) : []),
    ...(!isExternal && external !== ''
      ? [invalid(field, external, 'may only be set for externally-accessible services')]
      : []),
    ...checkEnum(spec.internalTrafficPolicy, 'spec.internalTrafficPolicy', ['Cluster', 'Local']),
    ...checkEnum(trafficDistribution, 'spec.trafficDistribution', [
      'PreferClose',
      'PreferSameZone',
      'PreferSameNode',
    ]),
  ];
}

/** The first cluster IP stays for life, but for a Service that is or was an ExternalName. */
function checkClusterIpKept(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const [now, before] = [
    spec.clusterIPs?.[0] ?? spec.clusterIP ?? '',
    old.clusterIPs?.[0] ?? old.clusterIP ?? '',
  ];
  if (before === '' || now === before) return [];
  if (now === '')
    return [invalid('spec.clusterIPs[0]', spec.clusterIPs ?? [], 'primary clusterIP can not be unset')];
  return [invalid('spec.clusterIPs[0]', spec.clusterIPs ?? [now], 'may not change once set')];
}
