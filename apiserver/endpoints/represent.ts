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

/** The metadata of an object as meta.k8s.io/v1 PartialObjectMetadata. */
export const partialOf = (object: ApiObject) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});

/** A meta.k8s.io/v1 Table of objects; `includeObject` is the query parameter: None, Metadata (default) or Object. */
export function tableOf(options: {
  kind: Kind;
  objects: ApiObject[];
  metadata: ListMetadata;
  includeObject: string;
}) {
  const { kind, objects, metadata, includeObject } = options;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columnDefinitions(kind),
    rows: objects.map((object) => rowOf(kind, object, includeObject)),
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
  if (representation.as === 'PartialObjectMetadata') return partialOf(object);
  const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
  return tableOf({ kind, objects: [object], metadata, includeObject });
}
