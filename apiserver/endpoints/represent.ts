import type { ApiObject, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import { columnDefinitions, rowOf } from '../registry/printers/rows.ts';
import type { Representation } from '../http/negotiate.ts';
import type { CacheEntry } from '../storage/watch-cache.ts';

/** Where in its list a table or list stands: page and revision. */
export interface ListMetadata {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** An object as this kind shows it: itself, or through the view. */
export const present = (kind: Kind, object: ApiObject): ApiObject =>
  kind.viewOf?.fromStored(object) ?? object;

/** The JSON of a cached object, made once per entry and version. */
export function jsonOf(kind: Kind, entry: CacheEntry): string {
  const format = apiVersionOf(kind);
  const known = entry.encoded.get(format);
  if (known !== undefined) return known;
  const json = JSON.stringify(present(kind, entry.object));
  entry.encoded.set(format, json);
  return json;
}

/** The version of meta.k8s.io that a table or metadata are asked in. */
export const metaVersionOf = ({ version = 'v1' }: Representation): string => `meta.k8s.io/${version}`;

/** The metadata of an object as PartialObjectMetadata. */
export const partialOf = ({ metadata }: ApiObject, representation: Representation) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: metaVersionOf(representation),
  metadata,
});

/** A Table of objects; `includeObject` is the query parameter: None, Metadata (default) or Object. */
export function tableOf(options: {
  kind: Kind;
  objects: ApiObject[];
  metadata: ListMetadata;
  representation: Representation;
  includeObject: string;
}) {
  const { kind, objects, metadata, representation, includeObject } = options;
  const apiVersion = metaVersionOf(representation);
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions: columnDefinitions(kind),
    rows: objects.map((object) => rowOf(kind, object, { includeObject, apiVersion })),
  };
}

/** One object in the asked representation (not yet text). */
export function representObject(options: {
  kind: Kind;
  object: ApiObject;
  representation: Representation;
  includeObject: string;
}): unknown {
  const { kind, object, representation, includeObject } = options;
  if (object.kind === 'Status' || representation.as === 'object') return object;
  if (representation.as === 'PartialObjectMetadata') return partialOf(object, representation);
  const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
  return tableOf({ kind, objects: [object], metadata, representation, includeObject });
}
