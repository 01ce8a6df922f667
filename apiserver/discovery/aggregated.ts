import type { Kind } from '../registry/kind.ts';
import type { KindTable } from '../registry/table.ts';
import { shownVerbs } from './shown-verbs.ts';

/** The two roots that aggregated discovery is asked at. */
export type DiscoveryRoot = '/api' | '/apis';

/** All resources of a root in one document: apidiscovery.k8s.io APIGroupDiscoveryList (KEP-3352). */
export function aggregatedDiscovery(kinds: KindTable, root: DiscoveryRoot, version: string) {
  const groups = [...kinds.groups()].filter(([name]) => (name === '') === (root === '/api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([name, versions]) => ({
      metadata: { ...(name !== '' && { name }) },
      versions: versions.map((groupVersion) => describeVersion(kinds, name, groupVersion)),
    })),
  };
}

function describeVersion(kinds: KindTable, group: string, version: string) {
  const served = kinds.all().filter((kind) => kind.group === group && kind.version === version);
  const resources = served.map(describeResource).toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
  return { version, resources, freshness: 'Current' };
}

const describeResource = (kind: Kind) => ({
  resource: kind.plural,
  responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
  scope: kind.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: kind.singular,
  verbs: shownVerbs(kind),
  ...(kind.shortNames !== undefined && { shortNames: kind.shortNames }),
  ...(kind.categories !== undefined && { categories: kind.categories }),
  ...(kind.subresources !== undefined && {
    subresources: kind.subresources.map((part) => describePart(kind, part)),
  }),
});

const describePart = (kind: Kind, part: NonNullable<Kind['subresources']>[number]) => ({
  subresource: part.name,
  responseKind: { group: part.group ?? kind.group, version: part.version ?? kind.version, kind: part.kind },
  verbs: part.verbs,
});
