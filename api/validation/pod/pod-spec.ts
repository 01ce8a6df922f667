import { aggregateContainers, isHugePages } from '../../defaults/resources.ts';
import { isDns1123Subdomain, isInRange } from '../../names.ts';
import { canonicalQuantity, compareQuantities } from '../../quantity.ts';
import type { HostAlias, ObjectMeta, PodDNSConfig, PodSpec } from '../../types.ts';
import {
  checkEnum,
  checkIp,
  checkLabel,
  checkQualifiedName,
  checkRequiredEnum,
  checkSubdomain,
  complaints,
  nameIsSubdomain,
} from '../checks.ts';
import { forbidden, invalid, notFoundField, required, tooLong } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateLabels } from '../object-meta.ts';
import { validateContainerResources, validatePodLevelResources } from '../resources.ts';
import { validateAffinity } from './affinity.ts';
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts';
import { validateSchedulingGates, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validateHostUsers, validatePodSecurityContext } from './security-context.ts';
import { validateVolumes } from './volumes.ts';

/**
 * Checks the spec of a Pod (`metadata` is its own) or of a template. Defaults must have been applied.
 */
export function validatePodSpec(
  spec: PodSpec,
  path: string,
  { metadata, isPod }: { metadata?: ObjectMeta | undefined; isPod: boolean },
): FieldError[] {
  const { errors: volumeErrors, byName: volumes } = validateVolumes(spec.volumes, `${path}.volumes`, {
    metadata,
    isPod,
  });
  const context = {
    spec,
    volumes,
    claimNames: new Set((spec.resourceClaims ?? []).map(({ name }) => name)),
    gracePeriodSeconds: spec.terminationGracePeriodSeconds,
    os: spec.os?.name,
  };
  return [
    ...(spec.terminationGracePeriodSeconds === undefined
      ? [required(`${path}.terminationGracePeriodSeconds`)]
      : []),
    ...volumeErrors,
    ...validateContainers(`${path}.containers`, context),
    ...validateInitContainers(`${path}.initContainers`, context),
    ...validateEphemeralContainers(`${path}.ephemeralContainers`, context),
    ...checkPodResources(spec, `${path}.resources`),
    ...checkHostNetworkPorts(spec, path, { isPod }),
    ...checkPolicies(spec, path),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDnsConfig(spec, `${path}.dnsConfig`),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      checkQualifiedName(conditionType ?? '', `${path}.readinessGates[${index}].conditionType`),
    ),
    ...validateSchedulingGates(spec.schedulingGates, `${path}.schedulingGates`),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostUsers(spec, path),
    ...checkHostnameOverride(spec, `${path}.hostnameOverride`),
    ...checkSubdomains(spec, ['serviceAccountName', 'nodeName'], path),
    ...checkDeadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...checkHostNames(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...validateHostAliases(spec.hostAliases, `${path}.hostAliases`),
    ...checkSubdomains(spec, ['priorityClassName', 'runtimeClassName'], path),
    ...checkEnum(spec.preemptionPolicy, `${path}.preemptionPolicy`, ['PreemptLowerPriority', 'Never']),
    ...(spec.overhead === undefined
      ? []
      : validateContainerResources({ limits: spec.overhead }, `${path}.overhead`)),
    ...checkOs(spec, `${path}.os`),
    ...checkFileKeyVolumes(spec, path),
  ];
}

function checkPolicies(spec: PodSpec, path: string): FieldError[] {
  const dns = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
  return [
    ...checkRequiredEnum(spec.restartPolicy, `${path}.restartPolicy`, ['Always', 'OnFailure', 'Never']),
    ...checkRequiredEnum(spec.dnsPolicy, `${path}.dnsPolicy`, dns),
  ];
}

function checkOs({ os }: PodSpec, path: string): FieldError[] {
  if (os === undefined) return [];
  if ((os.name ?? '') === '') return [required(`${path}.name`)];
  return checkEnum(os.name, path, ['linux', 'windows']);
}

type NameField = 'serviceAccountName' | 'nodeName' | 'priorityClassName' | 'runtimeClassName';

function checkSubdomains(spec: PodSpec, fields: NameField[], path: string): FieldError[] {
  return fields.flatMap((field) => {
    const name = spec[field] ?? '';
    return name === '' ? [] : complaints(`${path}.${field}`, name, nameIsSubdomain(name));
  });
}

function checkHostNames(spec: PodSpec, path: string): FieldError[] {
  const { hostname = '', subdomain = '' } = spec;
  return [
    ...(hostname === '' ? [] : checkLabel(hostname, `${path}.hostname`)),
    ...(subdomain === '' ? [] : checkLabel(subdomain, `${path}.subdomain`)),
  ];
}

function checkHostnameOverride(spec: PodSpec, field: string): FieldError[] {
  const hostname = spec.hostnameOverride;
  if (hostname === undefined) return [];
  return [
    ...(spec.setHostnameAsFQDN === true
      ? [forbidden(field, 'may not be specified when setHostnameAsFQDN is true')]
      : []),
    ...(spec.hostNetwork === true ? [forbidden(field, 'may not be specified when hostNetwork is true')] : []),
    ...(hostname.length > 64 ? [tooLong(field, 64)] : []),
    ...checkSubdomain(hostname, field),
  ];
}

function checkDeadline(seconds: number | undefined, field: string): FieldError[] {
  return seconds === undefined ? [] : complaints(field, seconds, isInRange(seconds, 1, 2147483647));
}

/** On the host's network a container's port and the host's are one. */
function checkHostNetworkPorts(spec: PodSpec, path: string, { isPod }: { isPod: boolean }): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  return (spec.containers ?? []).flatMap(({ ports }, container) =>
    (ports ?? []).flatMap(({ hostPort = 0, containerPort }, index) =>
      (isPod || hostPort !== 0) && hostPort !== containerPort
        ? [
            invalid(
              `${path}.containers[${container}].ports[${index}].hostPort`,
              hostPort,
              'must match `containerPort` when `hostNetwork` is true',
            ),
          ]
        : [],
    ),
  );
}

function validateHostAliases(aliases: HostAlias[] | undefined, path: string): FieldError[] {
  return (aliases ?? []).flatMap(({ ip, hostnames }, index) => [
    ...checkIp(ip ?? '', `${path}[${index}].ip`),
    ...(hostnames ?? []).flatMap((name, at) => checkSubdomain(name, `${path}[${index}].hostnames[${at}]`)),
  ]);
}

const maxNameservers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;

function validateDnsConfig({ dnsConfig, dnsPolicy }: PodSpec, path: string): FieldError[] {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if ((dnsConfig.nameservers ?? []).length === 0)
      return [
        required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
      ];
  }
  return dnsConfig === undefined ? [] : checkDnsConfig(dnsConfig, path);
}

function checkDnsConfig(
  { nameservers = [], searches = [], options = [] }: PodDNSConfig,
  path: string,
): FieldError[] {
  const tooManyCharacters = searches.join(' ').length > maxSearchCharacters;
  return [
    ...(nameservers.length > maxNameservers
      ? [invalid(`${path}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`)]
      : []),
    ...nameservers.flatMap((ip, index) => checkIp(ip, `${path}.nameservers[${index}]`)),
    ...(searches.length > maxSearches
      ? [invalid(`${path}.searches`, searches, `must not have more than ${maxSearches} search paths`)]
      : []),
    ...(tooManyCharacters
      ? [
          invalid(
            `${path}.searches`,
            searches,
            `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`,
          ),
        ]
      : []),
    ...searches.flatMap((search, index) => checkSearch(search, `${path}.searches[${index}]`)),
    ...options.flatMap(({ name = '' }, index) =>
      name === '' ? [required(`${path}.options[${index}]`, 'must not be empty')] : [],
    ),
  ];
}

/** A search domain may have underscores (SRV names) and a dot at its end; a single dot is the root. */
function checkSearch(search: string, field: string): FieldError[] {
  if (search === '.') return [];
  const name = search.replace(/\.$/, '');
  const wrong = isDns1123Subdomain(name.replaceAll(/(^|\.)_/g, '$1').replaceAll('_', '-'));
  if (wrong.length === 0) return [];
  const label = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
  const message = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${label}(\\.${label})*')`;
  return [invalid(field, name, message)];
}

function checkPodResources(spec: PodSpec, path: string): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  const claims =
    resources.claims === undefined
      ? []
      : [forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level')];
  const { claims: _, ...amounts } = resources;
  return [...claims, ...validatePodLevelResources(amounts, path), ...checkContainersFit(spec, path)];
}

/** Containers together may not ask for more than their Pod, and none may be limited to more. */
function checkContainersFit(spec: PodSpec, path: string): FieldError[] {
  const { requests = {}, limits = {} } = spec.resources ?? {};
  const compare = (field: 'requests' | 'limits', own: Record<string, string>) =>
    Object.entries(aggregateContainers(spec, field)).flatMap(([name, sum]) => {
      const amount = own[name];
      if (amount === undefined || compareQuantities(sum, amount) <= 0) return [];
      const detail = `must be greater than or equal to aggregate container ${field} of ${canonicalQuantity(sum)}`;
      return isHugePages(name) || field === 'requests'
        ? [invalid(`${path}.${field}[${name}]`, canonicalQuantity(amount), detail)]
        : [];
    });
  return [
    ...compare('requests', requests),
    ...compare('limits', limits),
    ...checkContainerLimits(spec, limits, path),
  ];
}

function checkContainerLimits(spec: PodSpec, limits: Record<string, string>, path: string): FieldError[] {
  return (spec.containers ?? []).flatMap(({ resources }, index) =>
    Object.entries(resources?.limits ?? {}).flatMap(([name, amount]) => {
      const limit = limits[name];
      if (limit === undefined || compareQuantities(amount, limit) <= 0) return [];
      const field = `${path}.containers[${index}][${name}].limits`;
      return [
        invalid(
          field,
          canonicalQuantity(amount),
          `must be less than or equal to pod limits of ${canonicalQuantity(limit)}`,
        ),
      ];
    }),
  );
}

/** The files of `fileKeyRef` lie in an emptyDir. */
function checkFileKeyVolumes(spec: PodSpec, path: string): FieldError[] {
  const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const;
  return lists.flatMap((list) =>
    (spec[list] ?? []).flatMap(({ env }, container) =>
      (env ?? []).flatMap(({ valueFrom }, index) => {
        const name = valueFrom?.fileKeyRef?.volumeName;
        if (name === undefined) return [];
        const field = `${path}.${list}[${container}].env[${index}].valueFrom.fileKeyRef.volumeName`;
        const volume = (spec.volumes ?? []).find((each) => each.name === name);
        if (volume === undefined) return [notFoundField(field, name)];
        return volume.emptyDir === undefined
          ? [invalid(field, name, 'referenced volume must be of type emptyDir')]
          : [];
      }),
    ),
  );
}
