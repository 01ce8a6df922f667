import type { Endpoints, Service, ServicePort } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { endpointsWarnings, serviceWarnings } from './service-warnings.ts';
import { ageColumn, formatLabels, nameColumn, text, wide } from '../printers/columns.ts';

const ports = (list: ServicePort[] | undefined): string =>
  (list ?? [])
    .map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`)
    .join(',') || '<none>';

function externalIp({ spec, status }: Service): string {
  const own = spec?.externalIPs ?? [];
  if (spec?.type === 'ExternalName') return spec.externalName ?? '';
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  if (spec?.type === 'LoadBalancer') return [...ingress, ...own].join(',') || '<pending>';
  return own.join(',') || '<none>';
}

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Type', 'type determines how the Service is exposed.', ({ spec }) => spec?.type ?? ''),
    text(
      'Cluster-IP',
      'clusterIP is the IP address of the service.',
      ({ spec }) => spec?.clusterIPs?.[0] ?? spec?.clusterIP ?? '<none>',
    ),
    text(
      'External-IP',
      'externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.',
      externalIp,
    ),
    text('Port(s)', 'The list of ports that are exposed by this service.', ({ spec }) => ports(spec?.ports)),
    ageColumn(),
    wide(
      text(
        'Selector',
        'Route service traffic to pods with label keys and values matching this selector.',
        ({ spec }) => formatLabels(spec?.selector),
      ),
    ),
  ],
  strategy: {
    allowCreateOnUpdate: true,
    prepareForCreate: (object) => {
      object.status = { loadBalancer: {} };
    },
    prepareForUpdate: (object, old) => {
      object.status = old.status ?? { loadBalancer: {} };
    },
    warnings: serviceWarnings,
  },
  subresources: [
    {
      name: 'status',
      kind: 'Service',
      verbs: ['get', 'patch', 'update'],
      strategy: {
        prepareForUpdate: (object, old) => {
          object.spec = old.spec ?? {};
          (object.status ??= {}).loadBalancer ??= {};
        },
      },
    },
  ],
  selectableFields: ({ spec }) => ({
    'spec.clusterIP': spec?.clusterIP ?? '',
    'spec.type': spec?.type ?? '',
  }),
});

const SHOWN_ADDRESSES = 3;

/** The first three addresses, with port (upstream: formatEndpoints). */
function addresses({ subsets }: Endpoints): string {
  const all = (subsets ?? []).flatMap(({ addresses: list, ports: open }) =>
    open === undefined || open.length === 0
      ? (list ?? []).map(({ ip }) => ip)
      : open.flatMap(({ port }) => (list ?? []).map(({ ip }) => `${ip}:${port}`)),
  );
  if (all.length === 0) return '<none>';
  const shown = all.slice(0, SHOWN_ADDRESSES).join(',');
  return all.length > SHOWN_ADDRESSES ? `${shown} + ${all.length - SHOWN_ADDRESSES} more...` : shown;
}

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  verbs: ALL_VERBS,
  columns: [
    nameColumn(),
    text('Endpoints', 'The set of all endpoints is the union of all subsets.', addresses),
    ageColumn(),
  ],
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  strategy: { allowCreateOnUpdate: true, warnings: endpointsWarnings },
});
