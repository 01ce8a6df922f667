import { createHash } from 'node:crypto';
import type { Kind, Subresource } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import type { KindTable } from '../registry/table.ts';
import { shownVerbs } from './shown-verbs.ts';

/** GET /api. */
export const coreVersions = (serverAddress: string) => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
});

/** GET /apis. */
export const groupList = (kinds: KindTable) => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [...kinds.groups()]
    .filter(([name]) => name !== '')
    .map(([name, versions]) => describeGroup(name, versions)),
});

/** GET /apis/GROUP, or undefined when there is no such group. */
export function groupOf(kinds: KindTable, name: string) {
  const versions = kinds.groups().get(name);
  if (versions === undefined || name === '') return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(name, versions) };
}

function describeGroup(name: string, versions: string[]) {
  const described = versions.map((version) => ({
    groupVersion: apiVersionOf({ group: name, version }),
    version,
  }));
  return { name, versions: described, preferredVersion: described[0] };
}

/** GET /api/v1 and /apis/GROUP/VERSION, or undefined when it is not served. */
export function resourceList(kinds: KindTable, groupVersion: string) {
  const served = kinds.inGroupVersion(groupVersion);
  if (served.length === 0) return undefined;
  const resources = served.flatMap((kind) => [describe(kind), ...subresources(kind)]);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: resources.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

const describe = (kind: Kind) => ({
  name: kind.plural,
  singularName: kind.singular,
  namespaced: kind.namespaced,
  kind: kind.kind,
  verbs: shownVerbs(kind),
  ...(kind.shortNames !== undefined && { shortNames: kind.shortNames }),
  ...(kind.categories !== undefined && { categories: kind.categories }),
  ...(kind.verbs.includes('get') && { storageVersionHash: storageVersionHash(kind) }),
});

/** Tells clients when a kind's objects are stored in another version (upstream: apiserver discovery/storageversionhash.go). */
function storageVersionHash(kind: Kind): string {
  const shown = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: {} };
  const { apiVersion } = kind.viewOf?.toStored(shown) ?? shown;
  const stored = `${apiVersion.includes('/') ? '' : '/'}${apiVersion}/${kind.kind}`;
  return createHash('sha256').update(stored).digest().subarray(0, 8).toString('base64');
}

const subresources = (kind: Kind) =>
  (kind.subresources ?? []).map((subresource) => ({
    name: `${kind.plural}/${subresource.name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...foreignType(kind, subresource),
    kind: subresource.kind,
    verbs: subresource.verbs,
  }));

const foreignType = (kind: Kind, { group, version }: Subresource) =>
  group === undefined || group === kind.group ? {} : { group, version };
