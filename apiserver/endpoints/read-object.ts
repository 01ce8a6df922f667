import { parseApiVersion } from '../../api/meta.ts';
import { definitionNameFor } from '../../api/openapi.ts';
import { applyDefaults } from '../../api/defaults/defaults.ts';
import type { ApiObject, Decoded, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import { decodeBody, mediaTypeOf, PROTOBUF, readBody } from '../http/body.ts';
import { decodeFields } from '../http/decode-fields.ts';
import { badRequest, unsupportedMediaType } from '../http/errors.ts';
import type { ResourceRequest } from './context.ts';
import type { WriteOptions } from './write-options.ts';

/** The type of a body: the kind itself or a subresource's own (Binding, Eviction …). */
export interface BodyType {
  group: string;
  version: string;
  kind: string;
}

/** Reads the request's body as an object of a type, with pruning and defaults. Throws 400, 413 and 415. */
export async function readObject(
  request: ResourceRequest,
  type: BodyType,
  options: WriteOptions,
): Promise<ApiObject> {
  const contentType = request.request.headers['content-type'];
  // What has no message in any .proto file cannot be sent as one.
  if (request.kind.custom !== undefined && mediaTypeOf(contentType) === PROTOBUF)
    throw unsupportedMediaType(['application/json', 'application/yaml']);
  const body = await readBody(request.request);
  const { value, strictErrors } = decodeBody(body, contentType);
  const typed = withType(value, type);
  return decodeObject({ request, type, value: typed, options, strictErrors });
}

/** The value with the type that it must have, which it may leave out. Throws 400 for a value that says another. */
export function withType(value: unknown, type: BodyType): unknown {
  const unrecognized = (why: string) =>
    badRequest(`the object provided is unrecognized (must be of type ${type.kind}): ${why}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unrecognized('expected an object');
  const given = value as { apiVersion?: unknown; kind?: unknown };
  const expected = apiVersionOf(type);
  const [apiVersion, kind] = [given.apiVersion || expected, given.kind || type.kind];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw unrecognized('expected apiVersion and kind to be strings');
  checkType({ apiVersion, kind }, type);
  return { ...value, apiVersion: expected, kind: type.kind };
}

const SCHEME = 'pkg/api/legacyscheme/scheme.go:30';

/** The body's type must be the expected one. Throws 400: it is unknown, another kind, or another version of this kind. */
function checkType({ apiVersion, kind }: { apiVersion: string; kind: string }, type: BodyType): void {
  const expected = apiVersionOf(type);
  if (apiVersion === expected && kind === type.kind) return;
  const { group, version } = parseApiVersion(apiVersion);
  const isKnown = definitionNameFor(group, version, kind) !== undefined;
  if (kind === type.kind && (isKnown || group === type.group)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  const why = isKnown
    ? `converting (${version}.${kind}) to (${packageOf(type.group)}.${type.kind}): unknown conversion`
    : `no kind "${kind}" is registered for version "${apiVersion}" in scheme "${SCHEME}"`;
  throw badRequest(`${kind} in version "${version}" cannot be handled as a ${type.kind}: ${why}`);
}

/** What upstream calls the package of a group's internal types. */
function packageOf(group: string): string {
  const [first = ''] = group.split('.');
  return group === '' || first === 'events' ? 'core' : first;
}

/** Prunes, checks types and applies defaults to a value that came from a client. Throws 400. */
export function decodeObject(options: {
  request: ResourceRequest;
  type: BodyType;
  value: unknown;
  options: WriteOptions;
  strictErrors?: string[];
  /** False where only what the client wrote counts (server-side apply). */
  defaults?: boolean;
}): ApiObject {
  const { request, type, options: write } = options;
  const { value, findings } = decodeAs(options);
  const prefix = `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}`;
  if (findings.wrongType !== undefined) throw badRequest(`${prefix}: ${findings.wrongType}`);
  const strict = [...(options.strictErrors ?? []), ...findings.unknown];
  if (strict.length > 0 && write.fieldValidation === 'Strict') {
    throw badRequest(`${prefix}: strict decoding error: ${strict.join(', ')}`);
  }
  if (write.fieldValidation === 'Warn') request.warnings.push(...strict);
  const object = value as ApiObject;
  object.metadata ??= {};
  if (options.defaults !== false) defaultObject(object, type === request.kind ? request.kind : {});
  return object;
}

/** By the type's definition, or for a custom resource by its own schema. */
function decodeAs({ request, type, value }: Parameters<typeof decodeObject>[0]): Decoded {
  const { custom } = request.kind;
  if (custom !== undefined && type === request.kind) return custom.decode(value);
  const definition = definitionNameFor(type.group, type.version, type.kind) ?? '';
  return decodeFields({ value, definition, definitions: request.server.definitions });
}

/** Fills in the defaults of the object's kind. */
export function defaultObject(object: ApiObject, { custom }: Pick<Kind, 'custom'>): void {
  if (custom === undefined) applyDefaults(object);
  else custom.applyDefaults(object);
}

/** The name and namespace of the path and the body must agree. Throws 400. */
export function checkPlace(
  object: ApiObject,
  kind: Kind,
  { name, namespace }: { name: string; namespace: string },
): void {
  const { metadata } = object;
  if (kind.namespaced) {
    if (metadata.namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    metadata.namespace = namespace;
  } else {
    delete metadata.namespace;
  }
  if (name === '') return;
  if (metadata.name !== undefined && metadata.name !== '' && metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  metadata.name = name;
}
