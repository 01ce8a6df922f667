import { randomUUID } from 'node:crypto';
import { validateCommonMeta } from '../../api/validation/object-meta.ts';
import { validateObject } from '../../api/validation/validation.ts';
import { StatusError, generateNameConflict } from '../../api/status.ts';
import {
  existsError,
  forbiddenError,
  invalidError,
  methodNotSupported,
  statusError,
} from '../http/errors.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import type { Endpoint, ResourceRequest } from './context.ts';
import { placeOf } from '../storage/object-store.ts';
import { dropRepeatedOwners } from './owner-references.ts';
import { checkPlace, readObject, warn } from './read-object.ts';
import { present } from './represent.ts';
import { timestamp } from './timestamp.ts';
import type { WriteOptions } from './write-options.ts';
import { writeOptions } from './write-options.ts';
import { recordManager } from '../apply/managed-fields.ts';

const GENERATED_NAME_LIMIT = 63;
const SUFFIX_LENGTH = 5;
/** No vowels, no look-alikes (upstream: apimachinery/pkg/util/rand). */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const GENERATE_ATTEMPTS = 8;

/** POST of a new object. Throws 400, 403, 404 (no such namespace), 409 and 422. */
export const createObject: Endpoint = async (request) => {
  const { kind, info } = request;
  if (info.name !== '') throw methodNotSupported(kind, 'create');
  const options = writeOptions(info.query, 'CreateOptions', request.request.headers['user-agent']);
  const object = await readObject(request, kind, options);
  checkPlace(object, kind, { name: '', namespace: info.namespace });
  dropRepeatedOwners(request, object);
  const { resourceVersion } = object.metadata;
  const created = await createInRegistry({ request, object, options, resourceVersion });
  return { status: 201, object: created };
};

interface Creation {
  request: ResourceRequest;
  object: ApiObject;
  options: WriteOptions;
  /** What a POST says that the revision is; a create by PUT or apply takes no notice of it. */
  resourceVersion?: string | undefined;
}

/** All steps of a creation after decoding; other verbs that may create (PUT, server-side apply) come here too. */
export async function createInRegistry(creation: Creation): Promise<ApiObject> {
  const { request, object } = creation;
  const { metadata } = object;
  if (!metadata.generateName || metadata.name) return createNamed(creation);
  for (let attempt = 1; ; attempt++) {
    const named = {
      ...structuredClone(object),
      metadata: { ...metadata, name: generatedName(metadata.generateName) },
    };
    try {
      return await createNamed({ ...creation, object: named });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const { group, plural } = request.kind;
      if (attempt === GENERATE_ATTEMPTS)
        throw generateNameConflict({ group, resource: plural }, named.metadata.name);
    }
  }
}

const isAlreadyExists = (error: unknown): boolean =>
  error instanceof StatusError && error.status.reason === 'AlreadyExists';

async function createNamed(creation: Creation): Promise<ApiObject> {
  const { request, object, options } = creation;
  const { kind, server } = request;
  if (kind.custom?.isTerminating === true) throw terminating(kind, object);
  fillSystemFields(object, server.now());
  if (kind.tracksGeneration === true) object.metadata.generation = 1;
  recordManager({ request, object, old: undefined, options, now: server.now() });
  await server.admission.admit({ operation: 'CREATE', request, object, oldObject: undefined, options });
  dropRepeatedOwners(request, object, ' after mutating admission happens');
  kind.strategy.prepareForCreate?.(object, (texts) => warn(request, texts));
  const own = kind.custom?.validate(object) ?? validateObject(object, kind);
  // The kind's own words are the better ones.
  const errors = own.length > 0 ? own : validateCommonMeta(object, kind);
  if (errors.length > 0) throw invalidError(kind, object.metadata.name ?? '', errors);
  await server.admission.validate({ operation: 'CREATE', request, object, oldObject: undefined, options });
  warn(request, kind.strategy.warnings?.(object) ?? []);
  return store(creation);
}

const terminating = (kind: Kind, { metadata }: ApiObject): StatusError =>
  forbiddenError(
    kind,
    metadata.name ?? '',
    'create not allowed while custom resource definition is terminating',
  );

async function store({ request, object, options, resourceVersion = '' }: Creation): Promise<ApiObject> {
  const { kind, server } = request;
  const objects = server.stores.of(kind);
  const stored = kind.viewOf?.toStored(object) ?? object;
  if (!options.dryRun) {
    if (Number(resourceVersion) > 0) throw revisionOfNew();
    return present(kind, await objects.create(stored));
  }
  const occupant = await objects.find(placeOf(object));
  if (occupant !== undefined) throw existsError(kind, object.metadata.name ?? '', occupant.object);
  return object;
}

/** Upstream's storage says so, whose errors have no code of their own. */
const revisionOfNew = (): StatusError =>
  statusError({
    code: 500,
    reason: '',
    message: 'resourceVersion should not be set on objects to be created',
  });

/** uid, revision and times, which clients cannot set (upstream: registry/rest FillObjectMetaSystemFields). */
function fillSystemFields({ metadata }: ApiObject, now: Date): void {
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestamp(now);
  delete metadata.resourceVersion;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

function generatedName(base: string): string {
  const stem = base.slice(0, GENERATED_NAME_LIMIT - SUFFIX_LENGTH);
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(SUFFIX_LENGTH)));
  return stem + letters.map((byte) => SUFFIX_ALPHABET[byte % SUFFIX_ALPHABET.length] ?? 'x').join('');
}
