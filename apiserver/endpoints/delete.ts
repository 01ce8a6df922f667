import type { DeleteOptions } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { decodeBody, readBody } from '../http/body.ts';
import { decodeFields } from '../http/decode-fields.ts';
import { badRequest, invalidError, notFoundError } from '../http/errors.ts';
import { queryFlag, queryInteger } from '../http/query-values.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import type { Mutation, ObjectPlace, ObjectStore } from '../storage/object-store.ts';
import type { Endpoint, ResourceRequest } from './context.ts';
import { deletionFinalizers } from './deletion-finalizers.ts';
import { beginGracefulDeletion, markAsDeleting } from './graceful-deletion.ts';
import { placeOfRequest } from './place.ts';
import { checkPreconditions } from './preconditions.ts';
import { present } from './represent.ts';
import { readDryRun } from './write-options.ts';

/** How a deletion ended: gone, or waiting for finalizers or for the grace period. */
export interface Deletion {
  object: ApiObject;
  gone: boolean;
}

/** DELETE of one object. Throws 400, 403, 404, 409 and 422. */
export const deleteObject: Endpoint = async (request) => {
  const options = await readDeleteOptions(request);
  const deletion = await deleteInRegistry({ request, place: placeOfRequest(request), options });
  return { status: 200, object: answerOf(request.kind, deletion) };
};

/** Reads DeleteOptions from the body, or from the query when there is none. */
export async function readDeleteOptions(request: ResourceRequest): Promise<DeleteOptions> {
  const body = await readBody(request.request);
  const { query } = request.info;
  const given = body.length === 0 ? {} : readOptionsBody(request, body);
  const options: DeleteOptions = { ...fromQuery(query), ...given };
  const dryRun = [...(options.dryRun ?? []), ...query.getAll('dryRun')];
  readDryRun(dryRun, 'DeleteOptions');
  checkDeleteOptions(options);
  return { ...options, dryRun };
}

const DELETE_OPTIONS = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';

function readOptionsBody({ server, request }: ResourceRequest, body: Buffer): DeleteOptions {
  const { value } = decodeBody(body, request.headers['content-type']);
  const { definitions } = server;
  const { value: options, findings } = decodeFields({ value, definition: DELETE_OPTIONS, definitions });
  if (findings.wrongType !== undefined)
    throw badRequest(
      `DeleteOptions in version "v1" cannot be handled as a DeleteOptions: ${findings.wrongType}`,
    );
  return options as DeleteOptions;
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  return {
    ...(grace !== null && { gracePeriodSeconds: queryInteger(query, 'gracePeriodSeconds') }),
    ...(policy !== null && { propagationPolicy: policy }),
    ...(orphan !== null && { orphanDependents: queryFlag(query, 'orphanDependents') }),
  };
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** Upstream: apimachinery metav1 validation ValidateDeleteOptions. */
function checkDeleteOptions({ propagationPolicy, orphanDependents }: DeleteOptions): void {
  const refuse = (field: string, reason: 'FieldValueInvalid' | 'FieldValueNotSupported', message: string) =>
    invalidError({ group: 'meta.k8s.io', kind: 'DeleteOptions', plural: '' }, '', [
      { field, reason, message },
    ]);
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    const message = `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`;
    throw refuse('propagationPolicy', 'FieldValueInvalid', message);
  }
  if (propagationPolicy !== undefined && !POLICIES.includes(propagationPolicy)) {
    const supported = [...POLICIES, 'nil'].map((policy) => JSON.stringify(policy)).join(', ');
    const message = `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: ${supported}`;
    throw refuse('propagationPolicy', 'FieldValueNotSupported', message);
  }
}

/** All steps of a deletion. Objects with finalizers or a grace period are marked, others removed. */
export async function deleteInRegistry(input: {
  request: ResourceRequest;
  place: ObjectPlace;
  options: DeleteOptions;
}): Promise<Deletion> {
  const { request, place, options } = input;
  const { kind, server } = request;
  const outcome = { gone: false, marked: false, dry: undefined as ApiObject | undefined };
  const store = server.stores.of(kind);
  const last = await store.update(place, async (stored): Promise<Mutation> => {
    if (stored === undefined) throw notFoundError(kind, place.name);
    const current = present(kind, stored);
    await checkDeletion({ request, current, options });
    const step = nextStep({ kind, object: current, options, now: server.now() });
    outcome.marked = typeof step === 'object' && step.thenRemove === true;
    outcome.gone = step === 'remove' || outcome.marked;
    if (isDryRun(options)) {
      outcome.dry = step === 'remove' || step === 'wait' ? current : step.write;
      return { keep: true };
    }
    if (step === 'remove') return { remove: true };
    if (step === 'wait') return { keep: true };
    return { write: kind.viewOf?.toStored(step.write) ?? step.write };
  });
  if (outcome.dry !== undefined) return { object: outcome.dry, gone: outcome.gone };
  const end = outcome.marked ? await removeMarked({ store, place, marked: last }) : last;
  return { object: present(kind, end), gone: outcome.gone };
}

/** Removes what has just been marked, unless another was faster. */
async function removeMarked(input: {
  store: ObjectStore;
  place: ObjectPlace;
  marked: ApiObject;
}): Promise<ApiObject> {
  const { store, place, marked } = input;
  try {
    return await store.update(place, (stored) => {
      if (stored?.metadata.uid !== marked.metadata.uid) throw notFoundError(store.kind, place.name);
      return Promise.resolve({ remove: true });
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return marked;
  }
}

/** Whether the object may be deleted: it is the one that the client means, and admission agrees. Throws 403 and 409. */
export async function checkDeletion(input: {
  request: ResourceRequest;
  current: ApiObject;
  options: DeleteOptions;
}): Promise<void> {
  const { request, current, options } = input;
  const { kind, server } = request;
  checkPreconditions(kind, current, options);
  const attributes = {
    operation: 'DELETE' as const,
    request,
    object: undefined,
    oldObject: current,
    options: { dryRun: isDryRun(options) },
  };
  await server.admission.admit(attributes);
  await server.admission.validate(attributes);
}

const isDryRun = ({ dryRun }: DeleteOptions): boolean => (dryRun ?? []).includes('All');

type Step = 'remove' | 'wait' | { write: ApiObject; thenRemove?: boolean };

/** Upstream: registry/generic Store.updateForGracefulDeletionAndFinalizers. */
function nextStep(input: { kind: Kind; object: ApiObject; options: DeleteOptions; now: Date }): Step {
  const { kind, object, options, now } = input;
  const custom = kind.strategy.beginDeletion?.(object, now);
  if (custom !== undefined) return custom;
  const grace = beginGracefulDeletion({ kind, object, options, now });
  if (grace === 'pending') return 'wait';
  const finalizers = deletionFinalizers(object, options);
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
  if (grace === 'immediate') {
    if (finalizers.length === 0) return 'remove';
    markAsDeleting(object, now);
  }
  // Whoever watches sees of an object with a grace period, also one of nothing, that it is being deleted.
  const isOver = finalizers.length === 0 && object.metadata.deletionGracePeriodSeconds === 0;
  return { write: object, thenRemove: isOver };
}

/** The object where it still is there or the kind wants it so, else a Status. */
function answerOf(kind: Kind, { object, gone }: Deletion): ApiObject {
  if (!gone || kind.returnsDeletedObject === true) return object;
  const { name, uid } = object.metadata;
  const group = kind.group === '' ? {} : { group: kind.group };
  const details = { name, ...group, kind: kind.plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } satisfies ApiObject;
}
