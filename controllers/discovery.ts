import type { ApiObject, ResourceId } from '../client/objects.ts';
import type { Client } from '../client/rest.ts';

/** A resource that the server has. */
export interface DiscoveredResource {
  id: ResourceId;
  kind: string;
  /** Group and version as in apiVersion. */
  apiVersion: string;
  /** `apiVersion/kind` in each version that has it: a reference may name any of them. */
  names: string[];
  namespaced: boolean;
  verbs: readonly string[];
}

interface GroupDiscovery extends ApiObject {
  versions?: {
    version: string;
    resources?: {
      resource: string;
      responseKind?: { group?: string; version?: string; kind?: string };
      scope: 'Namespaced' | 'Cluster';
      verbs?: string[];
    }[];
  }[];
}

const accept =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';

/** All resources in their preferred versions, by aggregated discovery (KEP-3352). */
export const discoverResources = async (
  client: Client,
  signal?: AbortSignal,
): Promise<DiscoveredResource[]> => {
  const lists = await Promise.all(
    ['/api', '/apis'].map((path) =>
      client.request<{ items: GroupDiscovery[] }>({ method: 'GET', path, headers: { accept }, signal }),
    ),
  );
  return lists.flatMap(({ items }) => items).flatMap(resourcesOfGroup);
};

const resourcesOfGroup = ({ metadata, versions = [] }: GroupDiscovery): DiscoveredResource[] => {
  const group = metadata?.name ?? '';
  const found = new Map<string, DiscoveredResource>();
  // The first version is the preferred one; a later one only counts for what the first doesn't have.
  for (const { version, resources = [] } of versions) {
    for (const { resource, responseKind, scope, verbs = [] } of resources) {
      const apiVersion = group === '' ? version : `${group}/${version}`;
      const kind = responseKind?.kind ?? '';
      const name = `${apiVersion}/${kind}`;
      const known = found.get(resource);
      if (known !== undefined) {
        known.names.push(name);
        continue;
      }
      found.set(resource, {
        id: { group, version, resource },
        kind,
        apiVersion,
        names: [name],
        namespaced: scope === 'Namespaced',
        verbs,
      });
    }
  }
  return [...found.values()];
};
