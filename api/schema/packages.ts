import type { GroupVersionKind } from './schema.ts';
import type { Model } from './read-models.ts';

/** An API group as OpenAPI names it, as the client package prefixes its classes, and as requests name it. */
interface ApiPackage {
  name: string;
  client: string;
  group: string;
}

/** The package and the group of each of the client package's API classes (`AppsV1Api` is of `Apps`). */
const apiPackages: ApiPackage[] = [
  { client: 'Core', name: 'io.k8s.api.core', group: '' },
  {
    client: 'Admissionregistration',
    name: 'io.k8s.api.admissionregistration',
    group: 'admissionregistration.k8s.io',
  },
  {
    client: 'Apiextensions',
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
    group: 'apiextensions.k8s.io',
  },
  {
    client: 'Apiregistration',
    name: 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
    group: 'apiregistration.k8s.io',
  },
  { client: 'Apps', name: 'io.k8s.api.apps', group: 'apps' },
  { client: 'Authentication', name: 'io.k8s.api.authentication', group: 'authentication.k8s.io' },
  { client: 'Authorization', name: 'io.k8s.api.authorization', group: 'authorization.k8s.io' },
  { client: 'Autoscaling', name: 'io.k8s.api.autoscaling', group: 'autoscaling' },
  { client: 'Batch', name: 'io.k8s.api.batch', group: 'batch' },
  { client: 'Certificates', name: 'io.k8s.api.certificates', group: 'certificates.k8s.io' },
  { client: 'Coordination', name: 'io.k8s.api.coordination', group: 'coordination.k8s.io' },
  { client: 'Discovery', name: 'io.k8s.api.discovery', group: 'discovery.k8s.io' },
  { client: 'Events', name: 'io.k8s.api.events', group: 'events.k8s.io' },
  { client: 'FlowcontrolApiserver', name: 'io.k8s.api.flowcontrol', group: 'flowcontrol.apiserver.k8s.io' },
  { client: 'InternalApiserver', name: 'io.k8s.api.apiserverinternal', group: 'internal.apiserver.k8s.io' },
  { client: 'Networking', name: 'io.k8s.api.networking', group: 'networking.k8s.io' },
  { client: 'Node', name: 'io.k8s.api.node', group: 'node.k8s.io' },
  { client: 'Policy', name: 'io.k8s.api.policy', group: 'policy' },
  { client: 'RbacAuthorization', name: 'io.k8s.api.rbac', group: 'rbac.authorization.k8s.io' },
  { client: 'Resource', name: 'io.k8s.api.resource', group: 'resource.k8s.io' },
  { client: 'Scheduling', name: 'io.k8s.api.scheduling', group: 'scheduling.k8s.io' },
  { client: 'Storage', name: 'io.k8s.api.storage', group: 'storage.k8s.io' },
  { client: 'Storagemigration', name: 'io.k8s.api.storagemigration', group: 'storagemigration.k8s.io' },
];

const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** The types that all groups share. */
const metaTypes = new Set(
  [
    'APIGroup APIGroupList APIResource APIResourceList APIVersions Condition DeleteOptions FieldSelectorRequirement',
    'GroupResource GroupVersionForDiscovery LabelSelector LabelSelectorRequirement ListMeta ManagedFieldsEntry ObjectMeta',
    'OwnerReference Preconditions ServerAddressByClientCIDR ShardInfo Status StatusCause StatusDetails WatchEvent',
  ].flatMap((line) => line.split(' ')),
);

/** Types that a class of another group uses first. */
const strayTypes: Record<string, string> = {
  BoundObjectReference: 'io.k8s.api.authentication.v1',
  Eviction: 'io.k8s.api.policy.v1',
  Scale: 'io.k8s.api.autoscaling.v1',
  ScaleSpec: 'io.k8s.api.autoscaling.v1',
  ScaleStatus: 'io.k8s.api.autoscaling.v1',
  TokenRequestSpec: 'io.k8s.api.authentication.v1',
  TokenRequestStatus: 'io.k8s.api.authentication.v1',
  TopologySelectorLabelRequirement: 'io.k8s.api.core.v1',
  TopologySelectorTerm: 'io.k8s.api.core.v1',
};

/** The models that each API class of the client package imports: `AppsV1` → `V1Deployment`, ... */
export type ModelsByApi = Map<string, string[]>;

/** Gives every model the name of its OpenAPI definition: `V1Pod` → `io.k8s.api.core.v1.Pod`. */
export function definitionNames(models: Model[], modelsByApi: ModelsByApi): Map<string, string> {
  const known = new Map(models.map((model) => [model.name, model]));
  const names = new Map<string, string>([['VersionInfo', 'io.k8s.apimachinery.pkg.version.Info']]);
  for (const { name } of models) {
    const fixed = fixedName(name);
    if (fixed !== undefined) names.set(name, fixed);
  }
  // The core group comes first: its types are those that the other groups' types contain.
  for (const apiPackage of apiPackages)
    for (const [api, used] of modelsByApi) {
      const version = api.slice(apiPackage.client.length);
      if (!api.startsWith(apiPackage.client) || !/^V\d/.test(version)) continue;
      nameReachable(used, `${apiPackage.name}.${version.toLowerCase()}`, known, names);
    }
  return names;
}

/** The kinds' group, version and kind; nothing for a type that is no kind. */
export function groupVersionKindsOf(definition: string, model: Model): GroupVersionKind[] {
  const has = (property: string) => model.properties.some(({ name }) => name === property);
  const [packageName, version, kind] = splitDefinition(definition);
  if (kind === 'DeleteOptions' || kind === 'WatchEvent') {
    return apiPackages.map(({ group }) => ({ group, version: 'v1', kind }));
  }
  if (!has('apiVersion') || !has('kind') || kind === 'OwnerReference') return [];
  if (packageName === 'io.k8s.apimachinery.pkg.apis.meta') return [{ group: '', version, kind }];
  const group = apiPackages.find(({ name }) => name === packageName)?.group;
  return group === undefined || !has('metadata') ? [] : [{ group, version, kind }];
}

/** `io.k8s.api.core.v1.Pod` → `['io.k8s.api.core', 'v1', 'Pod']` */
export function splitDefinition(definition: string): [packageName: string, version: string, kind: string] {
  const parts = definition.split('.');
  return [parts.slice(0, -2).join('.'), parts.at(-2) ?? '', parts.at(-1) ?? ''];
}

function fixedName(model: string): string | undefined {
  const { prefix, version, type } = splitModelName(model);
  if (prefix === '' && version === 'v1' && metaTypes.has(type)) return `${metaPackage}.${type}`;
  if (prefix === '' && version === 'v1' && type in strayTypes) return `${strayTypes[type]}.${type}`;
  const owner = apiPackages.find(({ client }) => prefix !== '' && client.startsWith(prefix));
  return owner === undefined ? undefined : `${owner.name}.${version}.${type}`;
}

/** `CoreV1Event` → Core, v1, Event; `V1beta1IPAddress` → '', v1beta1, IPAddress. */
function splitModelName(model: string): { prefix: string; version: string; type: string } {
  const [, prefix = '', version = '', type = ''] =
    /^(.*?)(V\d+(?:alpha\d+|beta\d+)?)(?=[A-Z])(.+)$/.exec(model) ?? [];
  return { prefix, version: version.toLowerCase(), type };
}

function nameReachable(
  from: string[],
  packageName: string,
  known: Map<string, Model>,
  names: Map<string, string>,
) {
  const queue = [...from];
  const seen = new Set<string>();
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const model = known.get(name);
    if (model === undefined || seen.has(name)) continue;
    seen.add(name);
    const { version, type } = splitModelName(name);
    if (!names.has(name) && packageName.endsWith(`.${version}`)) names.set(name, `${packageName}.${type}`);
    queue.push(...model.properties.flatMap((property) => property.type.match(/\w+/g) ?? []));
  }
}
