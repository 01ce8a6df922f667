import { isDeepStrictEqual } from 'node:util';
import { schemaFor } from '../../api/openapi.ts';
import type { Schema } from '../../api/schema/schema.ts';
import type { ManagedFieldsEntry } from '../../api/types.ts';
import type { ResourceRequest } from '../endpoints/context.ts';
import { timestamp } from '../endpoints/timestamp.ts';
import type { WriteOptions } from '../endpoints/write-options.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import { compare } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import { difference, sorted, union } from './field-set.ts';

/** Fields that the system writes: nobody manages them. */
const SYSTEM_METADATA = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** The schema of a kind; without one every map is granular and every list atomic. */
export const schemaOf = ({ group, version, kind, custom }: Kind): Schema =>
  custom?.schema ?? schemaFor(group, version, kind) ?? {};

type Target = Pick<ResourceRequest, 'kind' | 'subresource'>;

/** The part that a write to this path leaves alone: the status, or for the status subresource the spec (upstream: GetResetFields). */
function untouchedPart({ kind, subresource }: Target): string {
  if (subresource?.name === 'status') return 'spec';
  return kind.subresources?.some(({ name }) => name === 'status') === true ? 'status' : '';
}

/** What of an object a write to this path can manage: all but its type, what the system writes and what the path leaves alone. */
export function manageable(object: ApiObject, target: Target): Record<string, unknown> {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...whole } = object;
  const { [untouchedPart(target)]: _untouched, ...rest } = whole as Record<string, unknown>;
  const own = Object.fromEntries(
    Object.entries(metadata).filter(([field]) => !SYSTEM_METADATA.includes(field)),
  );
  return { ...rest, ...(Object.keys(own).length > 0 && { metadata: own }) };
}

/** Who made a change, and how. */
export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
}

export const managerOf = (
  request: ResourceRequest,
  options: WriteOptions,
  operation: Manager['operation'],
): Manager => ({
  manager: options.fieldManager || 'unknown',
  operation,
  apiVersion: apiVersionOf(request.kind),
  subresource: request.subresource?.name ?? '',
});

/** True when an entry of managedFields is this manager's; an applier is the same in every version (upstream: BuildManagerIdentifier). */
export const isEntryOf = (
  entry: ManagedFieldsEntry,
  { manager, operation, apiVersion, subresource }: Manager,
): boolean =>
  entry.manager === manager &&
  entry.operation === operation &&
  (operation === 'Apply' || entry.apiVersion === apiVersion) &&
  (entry.subresource ?? '') === subresource;

/** The fields of an entry. */
export const setOf = (entry: ManagedFieldsEntry): FieldSet | undefined =>
  entry.fieldsV1 as FieldSet | undefined;

/** The list with this manager's set replaced; an entry that is new, or whose manager has changed something, gets the time, and one of no fields goes. */
export function withEntry(options: {
  entries: ManagedFieldsEntry[];
  manager: Manager;
  set: FieldSet | undefined;
  now: Date;
  /** The object is another one now, if only in the values of fields that the manager has had before. */
  hasChanged: boolean;
}): ManagedFieldsEntry[] {
  const { entries, manager, set, now, hasChanged } = options;
  const present = entries.find((entry) => isEntryOf(entry, manager));
  const others = entries.filter((entry) => entry !== present);
  if (set === undefined || Object.keys(set).length === 0) return others;
  const isSame = present?.apiVersion === manager.apiVersion && isDeepStrictEqual(setOf(present), set);
  if (isSame && !hasChanged) return entries;
  return [...others, newEntry({ manager, set, now })];
}

function newEntry({ manager, set, now }: { manager: Manager; set: FieldSet; now: Date }): ManagedFieldsEntry {
  const { subresource, ...rest } = manager;
  const entry = { ...rest, time: timestamp(now), fieldsType: 'FieldsV1', fieldsV1: sorted(set) };
  return subresource === '' ? entry : { ...entry, subresource };
}

/**
 * Notes in metadata.managedFields which fields a create, update or patch has changed: they are its manager's now, and nobody else's.
 * Server-side apply keeps its own books before it comes here (upstream: structured-merge-diff Updater.Update).
 */
export function recordManager(change: {
  request: ResourceRequest;
  object: ApiObject;
  old: ApiObject | undefined;
  options: WriteOptions;
  now: Date;
}): void {
  const { request, object, old, options, now } = change;
  if (options.applied === true) return;
  const entries = startingEntries(change);
  const schema = schemaOf(request.kind);
  const { changed, removed } = compare(
    old === undefined ? {} : manageable(old, request),
    manageable(object, request),
    schema,
  );
  if (changed === undefined && removed === undefined) return setEntries(object, entries);
  const manager = managerOf(request, options, 'Update');
  const touched = union(changed, removed);
  const others = withoutFields(
    entries.filter((entry) => !isEntryOf(entry, manager)),
    touched,
  );
  const own = entries.find((entry) => isEntryOf(entry, manager));
  const set = union(difference(own === undefined ? undefined : setOf(own), removed), changed);
  const list = own === undefined ? others : [...others, own];
  const noted = withEntry({ entries: list, manager, set, now, hasChanged: changed !== undefined });
  setEntries(object, capUpdates(noted));
}

/**
 * Whoever has changed nothing in the end but the time at which it did so has changed nothing: defaults and what is left out may make the
 * object the old one again (upstream: fieldmanager IgnoreManagedFieldsTimestampsTransformer).
 */
export function ignoreTimes(object: ApiObject, old: ApiObject): void {
  const timeless = ({ metadata: { managedFields = [], ...metadata }, ...rest }: ApiObject) => ({
    ...rest,
    metadata,
    entries: managedFields.map(({ time: _time, ...entry }) => entry).toSorted(compareEntries),
  });
  if (isDeepStrictEqual(timeless(object), timeless(old)))
    setEntries(object, old.metadata.managedFields ?? []);
}

const MAX_UPDATES = 10;

/** Beyond ten, the oldest entries of updates in one version become one (upstream: managedfields/internal/capmanagers.go). */
function capUpdates(entries: ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  const updates = entries.filter(({ operation }) => operation === 'Update').toSorted(compareEntries);
  if (updates.length <= MAX_UPDATES) return entries;
  const firstOf = (version = '') => updates.find(({ apiVersion }) => apiVersion === version);
  const second = updates.find((entry) => firstOf(entry.apiVersion) !== entry);
  if (second === undefined) return entries;
  const first = firstOf(second.apiVersion);
  const { subresource: _subresource, ...rest } = second;
  const fieldsV1 = sorted(union(first && setOf(first), setOf(second)) ?? {});
  const others = entries.filter((entry) => entry !== first && entry !== second);
  return capUpdates([...others, { ...rest, manager: 'ancient-changes', fieldsV1 }]);
}

/**
 * A client that sends none leaves them as they are, one that sends an empty entry resets them; a subresource changes none
 * (upstream: managedfields/internal/fieldmanager.go decodeLiveOrNew).
 */
function startingEntries({
  request,
  object,
  old,
}: Parameters<typeof recordManager>[0]): ManagedFieldsEntry[] {
  const { managedFields: sent = [] } = object.metadata;
  if (sent.length === 0 || request.subresource !== undefined) return old?.metadata.managedFields ?? [];
  return sent.filter((entry) => Object.keys(entry).length > 0);
}

/** Entries without the fields of a set; an entry that has none left goes. */
export function withoutFields(
  entries: ManagedFieldsEntry[],
  fields: FieldSet | undefined,
): ManagedFieldsEntry[] {
  if (fields === undefined) return entries;
  return entries.flatMap((entry) => {
    const before = setOf(entry);
    const after = difference(before, fields);
    if (after === undefined) return [];
    return isDeepStrictEqual(before, after) ? [entry] : [{ ...entry, fieldsV1: after }];
  });
}

/**
 * Writes the list into an object, or takes an empty one away. Its order is upstream's, whoever wrote last: an apply that changes nothing
 * changes no object (managedfields/internal/managedfields.go sortEncodedManagedFields).
 */
export function setEntries(object: ApiObject, entries: ManagedFieldsEntry[]): void {
  if (entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries.toSorted(compareEntries);
}

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const [first, second] = [rankOf(a), rankOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

const rankOf = ({ operation, time, manager, apiVersion, subresource }: ManagedFieldsEntry): string =>
  [operation, time, manager, apiVersion, subresource].join('\0');
