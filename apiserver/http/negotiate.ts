/** How the body of an answer is written: the object itself, a table of it, or only its metadata. */
export interface Representation {
  as: 'object' | 'Table' | 'PartialObjectMetadata' | 'APIGroupDiscoveryList';
  mediaType: 'application/json' | 'application/yaml';
  /** Version of the meta.k8s.io or apidiscovery.k8s.io type asked for. */
  version?: string;
}

interface AcceptClause {
  type: string;
  parameters: Map<string, string>;
  quality: number;
}

const AS: Record<string, { as: Representation['as']; group: string; versions: string[] }> = {
  Table: { as: 'Table', group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
  PartialObjectMetadata: { as: 'PartialObjectMetadata', group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
  PartialObjectMetadataList: {
    as: 'PartialObjectMetadata',
    group: 'meta.k8s.io',
    versions: ['v1', 'v1beta1'],
  },
  APIGroupDiscoveryList: {
    as: 'APIGroupDiscoveryList',
    group: 'apidiscovery.k8s.io',
    versions: ['v2', 'v2beta1'],
  },
};

/**
 * Chooses the representation for an Accept header: the first clause, by quality, that can be served; `table` says whether a table can.
 * Returns undefined when none can (406). Protobuf and CBOR clauses are passed over, so that clients that
 * also accept JSON get JSON (RFC 9110 section 12.5.1).
 */
export function negotiate(accept: string | undefined, options = { table: true }): Representation | undefined {
  if (accept === undefined || accept.trim() === '') return { as: 'object', mediaType: 'application/json' };
  for (const clause of parseAccept(accept)) {
    const found = serve(clause);
    if (found !== undefined && (options.table || found.as !== 'Table')) return found;
  }
  return undefined;
}

function parseAccept(accept: string): AcceptClause[] {
  return accept
    .split(',')
    .map((text) => {
      const [type = '', ...pairs] = text.split(';').map((part) => part.trim());
      const parameters = new Map(pairs.map((pair) => pair.split('=', 2) as [string, string]));
      return { type: type.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) };
    })
    .sort((a, b) => b.quality - a.quality);
}

function serve({ type, parameters }: AcceptClause): Representation | undefined {
  const mediaType = mediaTypeFor(type);
  if (mediaType === undefined) return undefined;
  const as = parameters.get('as');
  if (as === undefined) return { as: 'object', mediaType };
  const known = AS[as];
  const version = parameters.get('v') ?? '';
  if (known === undefined || parameters.get('g') !== known.group || !known.versions.includes(version))
    return undefined;
  return { as: known.as, mediaType, version };
}

function mediaTypeFor(type: string): Representation['mediaType'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'application/json';
  if (type === 'application/yaml') return 'application/yaml';
  return undefined;
}
