import type { LabelSelectorMatcher } from '../../api/selectors/labels.ts';
import { parseLabelSelector } from '../../api/selectors/labels.ts';
import type { FieldSelectorMatcher } from '../../api/selectors/fields.ts';
import { parseFieldSelector } from '../../api/selectors/fields.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import { badRequest } from '../http/errors.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { present } from './represent.ts';

/** The objects that a list, watch or deletecollection is about. */
export interface Selection {
  /** Keys of all of them begin with this. */
  prefix: string;
  /** True when no selector chooses: everything below the prefix is selected. */
  isWhole: boolean;
  /** Set when the selectors name exactly one object. */
  key: string | undefined;
  /** The label and field selectors; takes the object as stored. */
  matches(object: ApiObject): boolean;
}

/** Reads namespace, labelSelector and fieldSelector. Throws 400 for selectors that cannot be. */
export function readSelection(info: RequestInfo, kind: Kind, store: ObjectStore): Selection {
  const labels = readLabels(info.query.get('labelSelector'));
  const fields = readFields(info.query.get('fieldSelector'), kind);
  const prefix =
    kind.namespaced && info.namespace !== '' ? `${store.prefix}${info.namespace}/` : store.prefix;
  const name = fields?.requires('metadata.name');
  const namespace = kind.namespaced ? info.namespace || fields?.requires('metadata.namespace') : '';
  const key = name === undefined || namespace === undefined ? undefined : store.keyOf({ namespace, name });
  const matches = (object: ApiObject): boolean =>
    (labels === undefined || labels.matches(object.metadata.labels ?? {})) &&
    (fields === undefined || fields.matches(selectableFields(kind, present(kind, object))));
  return { prefix, key, matches, isWhole: labels === undefined && fields === undefined };
}

/** The fields of an object that selectors may name. */
const selectableFields = (kind: Kind, object: ApiObject): Record<string, string> => ({
  'metadata.name': object.metadata.name ?? '',
  ...(kind.namespaced && { 'metadata.namespace': object.metadata.namespace ?? '' }),
  ...kind.selectableFields?.(object),
});

function readLabels(text: string | null): LabelSelectorMatcher | undefined {
  if (text === null || text === '') return undefined;
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function readFields(text: string | null, kind: Kind): FieldSelectorMatcher | undefined {
  if (text === null || text === '') return undefined;
  const selector = parseFields(text);
  const known = selectableFields(kind, { apiVersion: '', kind: '', metadata: {} });
  const unknown = selector.fields.find((field) => !Object.hasOwn(known, field));
  if (unknown === undefined) return selector;
  throw badRequest(
    `Unable to find ${JSON.stringify(apiVersionOf(kind))}, Resource=${kind.plural} that match label selector "", field selector ${JSON.stringify(text)}: field label not supported: ${unknown}`,
  );
}

function parseFields(text: string): FieldSelectorMatcher {
  try {
    return parseFieldSelector(text);
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}
