import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../../api/validation/field-error.ts';
import { validateCommonMetaUpdate } from '../../api/validation/object-meta.ts';
import { validateObjectUpdate } from '../../api/validation/validation.ts';
import { ignoreTimes, recordManager } from '../apply/managed-fields.ts';
import { conflictError, invalidError, notFoundError } from '../http/errors.ts';
import { checkCreateRight } from '../http/secured-request.ts';
import type { ApiObject, Kind, Strategy } from '../registry/kind.ts';
import type { Mutation } from '../storage/object-store.ts';
import type { Endpoint, ResourceRequest } from './context.ts';
import { createOrUpdate } from './create-or-update.ts';
import { createInRegistry } from './create.ts';
import { placeOfRequest } from './place.ts';
import { checkIdentity } from './preconditions.ts';
import { dropRepeatedOwners } from './owner-references.ts';
import { checkPlace, readObject, warn } from './read-object.ts';
import { present } from './represent.ts';
import type { WriteOptions } from './write-options.ts';
import { writeOptions } from './write-options.ts';

/** PUT of an object or a subresource of it (status …). Throws 400, 403, 404, 409 and 422. */
export const updateObject: Endpoint = async (request) => {
  const { server, kind, info, subresource } = request;
  const options = writeOptions(info.query, 'UpdateOptions', request.request.headers['user-agent']);
  const object = await readObject(request, kind, options);
  checkPlace(object, kind, info);
  dropRepeatedOwners(request, object);
  const { uid } = object.metadata;
  const change = () => Promise.resolve(structuredClone(object));
  const update = () => updateInRegistry({ request, options, uid, change });
  if (kind.strategy.allowCreateOnUpdate !== true || subresource !== undefined)
    return { status: 200, object: await update() };
  return createOrUpdate(request, {
    update,
    create() {
      checkIdentity({ server, kind, place: placeOfRequest(request), asked: { uid }, actual: {} });
      // Who may update may not make (upstream: handlers/update.go withAuthorization).
      checkCreateRight(request);
      return createInRegistry({ request, object: structuredClone(object), options });
    },
  });
};

/** The strategy of the subresource, or of the kind. */
const strategyOf = ({ kind, subresource }: ResourceRequest): Strategy =>
  subresource?.strategy ?? kind.strategy;

/**
 * All steps of an update after decoding: `change` makes the new object from the present one, again for each lost race.
 * An unchanged object isn't written; one that was waiting for its last finalizer goes away.
 */
export async function updateInRegistry(options: {
  request: ResourceRequest;
  options: WriteOptions;
  /** What a PUT says that the present object's uid is. */
  uid?: string | undefined;
  change(current: ApiObject): Promise<ApiObject>;
}): Promise<ApiObject> {
  const { request, options: write, uid } = options;
  const { kind, server } = request;
  const place = placeOfRequest(request);
  const outcome = { unwritten: undefined as ApiObject | undefined };
  const written = await server.stores.of(kind).update(place, async (stored): Promise<Mutation> => {
    if (stored === undefined) throw notFoundError(kind, place.name);
    const current = present(kind, stored);
    checkIdentity({ server, kind, place, asked: { uid }, actual: current.metadata });
    const object = await prepareUpdate({
      request,
      current,
      object: await options.change(structuredClone(current)),
      options: write,
    });
    const isRemoved = isLastFinalizerGone(object, current);
    // Of a removal the store answers the state before it, with the finalizer that has been taken away.
    outcome.unwritten = write.dryRun || isRemoved ? object : undefined;
    if (write.dryRun) return { keep: true };
    return isRemoved ? { remove: true } : { write: kind.viewOf?.toStored(object) ?? object };
  });
  return outcome.unwritten ?? present(kind, written);
}

interface Update {
  request: ResourceRequest;
  current: ApiObject;
  object: ApiObject;
  options: WriteOptions;
}

/** Metadata rules, strategy, admission and validation, in upstream's order (registry/rest BeforeUpdate). */
async function prepareUpdate({ request, current, object, options }: Update): Promise<ApiObject> {
  const { kind, server } = request;
  const strategy = strategyOf(request);
  checkRevision(request, object, current);
  keepSystemFields(object, current);
  recordManager({ request, object, old: current, options, now: server.now() });
  const attributes = { operation: 'UPDATE' as const, request, object, oldObject: current, options };
  await server.admission.admit(attributes);
  dropRepeatedOwners(request, object, ' after mutating admission happens');
  strategy.prepareForUpdate?.(object, current);
  if (kind.tracksGeneration === true) trackGeneration(object, current, kind);
  const errors = validate(request, object, current);
  if (errors.length > 0) throw invalidError(kind, object.metadata.name ?? '', errors);
  ignoreTimes(object, current);
  await server.admission.validate(attributes);
  warn(request, strategy.warnings?.(object, current) ?? []);
  return object;
}

const validate = ({ kind, subresource }: ResourceRequest, object: ApiObject, current: ApiObject) => [
  ...validateCommonMetaUpdate(object, current, kind),
  ...(kind.custom?.validateUpdate(object, current, subresource?.name ?? '') ??
    validateObjectUpdate(object, current, subresource?.name)),
];

/** The client's resourceVersion, where given or asked for, must be the present one; 0 is none. Throws 409 and 422. */
function checkRevision(request: ResourceRequest, { metadata }: ApiObject, current: ApiObject): void {
  const { kind } = request;
  const { resourceVersion = '', name = '' } = metadata;
  const isGiven = /[^0]/.test(resourceVersion);
  if (!isGiven && strategyOf(request).allowUnconditionalUpdate === false)
    // Upstream names the resource where other refusals name the kind.
    throw invalidError({ ...kind, kind: kind.plural }, name, [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  if (isGiven && resourceVersion !== current.metadata.resourceVersion) throw conflictError(kind, name);
}

const SYSTEM_FIELDS = [
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'generateName',
] as const;

const SENT_FIELDS: readonly string[] = ['uid', 'generateName'];

/** What the system writes stays as it is, whatever the client sent; another uid is for the validation to refuse. */
function keepSystemFields(object: ApiObject, current: ApiObject): void {
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (const field of SYSTEM_FIELDS) {
    if (SENT_FIELDS.includes(field) && metadata[field]) continue;
    const value = current.metadata[field];
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  delete metadata['selfLink'];
  object.metadata = metadata;
}

/** A change outside metadata and status is a new generation; a status without a path of its own is a field like any other. */
function trackGeneration(object: ApiObject, current: ApiObject, { subresources }: Kind): void {
  const hasStatus = subresources?.some(({ name }) => name === 'status') === true;
  const desired = ({ metadata: _metadata, status, ...rest }: ApiObject) =>
    hasStatus ? rest : { ...rest, status };
  const generation = current.metadata.generation ?? 0;
  object.metadata.generation = isDeepStrictEqual(desired(object), desired(current))
    ? generation
    : generation + 1;
  if (object.metadata.generation === 0) delete object.metadata.generation;
}

/** True when this update removes what a deletion was waiting for; a Namespace also waits for spec.finalizers. */
function isLastFinalizerGone(object: ApiObject, current: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  if (deletionTimestamp === undefined || finalizersOf(object).length > 0) return false;
  if (finalizersOf(current).length === 0) return false;
  return deletionGracePeriodSeconds === 0 || object.kind === 'Namespace';
}

function finalizersOf({ metadata, spec }: ApiObject & { spec?: { finalizers?: string[] } }): string[] {
  return [...(metadata.finalizers ?? []), ...(spec?.finalizers ?? [])];
}
