import { parseApiVersion } from '../../api/meta.ts';
import type { ResourceRequest, Result } from '../endpoints/context.ts';
import { createOrUpdate } from '../endpoints/create-or-update.ts';
import { createInRegistry } from '../endpoints/create.ts';
import { cannotBe, checkPlace, defaultObject, readFields, warn } from '../endpoints/read-object.ts';
import { updateInRegistry } from '../endpoints/update.ts';
import type { WriteOptions } from '../endpoints/write-options.ts';
import { badRequest, conflictError, invalidError, statusError } from '../http/errors.ts';
import { checkCreateRight } from '../http/secured-request.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import { compare, fieldsOf } from './compare.ts';
import { applyConflict, conflictsOf } from './conflict.ts';
import type { FieldSet } from './field-set.ts';
import { difference, union } from './field-set.ts';
import type { Manager } from './managed-fields.ts';
import {
  isEntryOf,
  manageable,
  managerOf,
  schemaOf,
  setEntries,
  setOf,
  withEntry,
  withoutFields,
} from './managed-fields.ts';
import { merge, removeFields } from './merge.ts';
import { repeatedItems } from './repeated-items.ts';
import { typedPath } from './typed-path.ts';

/**
 * Server-side apply: the object becomes what it is plus what was applied, minus what this manager applied before and no longer does.
 * Fields of other managers are a conflict (409) unless forced (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
 */
export async function applyServerSide(options: {
  request: ResourceRequest;
  value: unknown;
  strictErrors: string[];
  options: WriteOptions;
}): Promise<Result> {
  const { request, options: write } = options;
  const { kind, server, info, subresource } = request;
  if (!info.query.get('fieldManager')) throw managerRequired();
  const config = readConfig(options);
  const applied = { ...write, applied: true };
  const manager = managerOf(request, write, 'Apply');
  const change = (current: ApiObject) =>
    Promise.resolve(applyTo({ request, current, config, manager, force: write.force, now: server.now() }));
  const update = () => updateInRegistry({ request, options: applied, change });
  if (subresource !== undefined) return { status: 200, object: await update() };
  return createOrUpdate(request, {
    update,
    create() {
      if (config.metadata.uid) throw uidMismatch(request, config.metadata.uid);
      // Who may patch may not make (upstream: handlers/patch.go createAuthorizerAttributes).
      checkCreateRight(request);
      const object = structuredClone(config);
      const set = fieldsOf(manageable(config, request), schemaOf(kind));
      setEntries(object, withEntry({ entries: [], manager, set, now: server.now(), hasChanged: true }));
      defaultObject(object, kind);
      return createInRegistry({ request, object, options: applied });
    },
  });
}

const uidMismatch = ({ kind, info }: ResourceRequest, uid: string) =>
  conflictError(
    kind,
    info.name,
    `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
  );

const managerRequired = () =>
  invalidError({ group: 'meta.k8s.io', kind: 'PatchOptions', plural: '' }, '', [
    {
      field: 'fieldManager',
      reason: 'FieldValueRequired',
      message: 'Required value: is required for apply patch',
    },
  ]);

/** The applied object without defaults: only what was written down is owned. */
function readConfig({
  request,
  value,
  strictErrors,
  options,
}: Parameters<typeof applyServerSide>[0]): ApiObject {
  if (typeof value !== 'object' || value === null)
    throw badRequest('error decoding YAML: expected an object');
  const { kind, info } = request;
  checkType(value, kind);
  const refuse = (why: string) => cannotBe(kind, why);
  const read = readFields({ request, type: kind, value, refuse, defaults: false });
  const { object: config } = read;
  checkPlace(config, kind, info);
  if (config.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  checkFields(config, kind, { value, unknown: read.unknown });
  checkKeys({ request, strictErrors, options });
  return config;
}

/** An applied object says what it is. Throws 400 (upstream: managedfields/internal/versioncheck.go). */
function checkType(value: { apiVersion?: unknown; kind?: unknown }, kind: Kind): void {
  const text = (field: unknown) => (typeof field === 'string' ? field : '');
  const [apiVersion, name] = [text(value.apiVersion), text(value.kind)];
  if (apiVersion === apiVersionOf(kind) && name === kind.kind) return;
  const { group, version } = parseApiVersion(apiVersion);
  throw badRequest(`invalid object type: ${group}/${version}, Kind=${name}`);
}

/**
 * Only what lives may repeat the keys of a list item, and nothing may have fields that the schema doesn't, whatever validation was asked
 * for. Throws 500, as upstream (managedfields/internal/structuredmerge.go Apply).
 */
function checkFields(config: ApiObject, kind: Kind, given: { value: object; unknown: string[] }): void {
  const schema = schemaOf(kind);
  const undeclared = given.unknown.map((path) => typedPath(path, given.value, schema));
  const faults = [
    ...repeatedItems(config, schema),
    ...undeclared.map((path) => `${path}: field not declared in schema`),
  ];
  if (faults.length === 0) return;
  const { namespace = '', name = '' } = config.metadata;
  const what = `${namespace}/${name}; ${kind.group}/${kind.version}, Kind=${kind.kind}`;
  const why = faults.length === 1 ? faults[0] : ['errors:', ...faults].join('\n  ');
  const message = `failed to create typed patch object (${what}): ${why}`;
  throw statusError({ code: 500, reason: '', message });
}

/** Throws 400 for keys that are there twice, where that is to be refused. */
function checkKeys({
  request,
  strictErrors,
  options,
}: Pick<Parameters<typeof applyServerSide>[0], 'request' | 'strictErrors' | 'options'>): void {
  const found = strictErrors.map((error) => `error converting YAML to JSON: ${error}`);
  if (found.length > 0 && options.fieldValidation === 'Strict')
    throw badRequest(`error strict decoding YAML: ${found.join(', ')}`);
  if (options.fieldValidation === 'Warn') warn(request, found);
}

interface Application {
  request: ResourceRequest;
  current: ApiObject;
  config: ApiObject;
  manager: Manager;
  force: boolean;
  now: Date;
}

function applyTo({ request, current, config, manager, force, now }: Application): ApiObject {
  const schema = schemaOf(request.kind);
  const entries = current.metadata.managedFields ?? [];
  const others = entries.filter((entry) => !isEntryOf(entry, manager));
  const own = entries.find((entry) => isEntryOf(entry, manager));
  const set = fieldsOf(manageable(config, request), schema);
  const merged = merge(manageable(current, request), manageable(config, request), schema);
  const { changed } = compare(manageable(current, request), merged, schema);
  const conflicts = conflictsOf(others, changed);
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);
  const kept = withoutFields(others, changed);
  const owned = kept.reduce<FieldSet | undefined>((sum, entry) => union(sum, setOf(entry)), set);
  const dropped = (own && difference(setOf(own), owned)) ?? {};
  const isNone = Object.keys(dropped).length === 0;
  const rest = isNone ? merged : removeFields({ value: merged, set: dropped, owned, schema });
  const fields = rest as Record<string, unknown>;
  const object = rebuild({ request, current, config, fields });
  // What goes with an item or a map is nobody's any more.
  const made = compare(manageable(current, request), fields, schema);
  const left = withoutFields(kept, made.removed);
  const list = own === undefined ? left : [...left, own];
  const hasChanged = made.changed !== undefined || made.removed !== undefined;
  setEntries(object, withEntry({ entries: list, manager, set, now, hasChanged }));
  defaultObject(object, request.kind);
  return object;
}

function rebuild(parts: {
  request: ResourceRequest;
  current: ApiObject;
  config: ApiObject;
  fields: Record<string, unknown>;
}): ApiObject {
  const { request, current, config, fields } = parts;
  const managed = manageable(current, request);
  const keep = (object: object, known: object) =>
    Object.entries(object).filter(([field]) => !(field in known));
  const system = Object.fromEntries(keep(current.metadata, managed['metadata'] ?? {}));
  const untouched = Object.fromEntries(keep(current, managed));
  const { resourceVersion, uid } = config.metadata;
  const own = fields['metadata'] as object | undefined;
  const asked = {
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(uid !== undefined && { uid }),
  };
  const metadata = { ...system, ...own, ...asked };
  return { ...untouched, ...fields, apiVersion: current.apiVersion, kind: current.kind, metadata };
}
