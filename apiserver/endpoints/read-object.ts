import { parseApiVersion } from '../../api/meta.ts';
import { StatusError } from '../../api/status.ts';
import { isObject } from '../../api/patch/json-value.ts';
import { definitionNameFor } from '../../api/openapi.ts';
import { applyDefaults } from '../../api/defaults/defaults.ts';
import type { ApiObject, Decoded, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import { decodeBody, mediaTypeOf, PROTOBUF, readBody } from '../http/body.ts';
import type { DecodedBody } from '../http/body.ts';
import { decodeFields, jsonType } from '../http/decode-fields.ts';
import { badRequest, unsupportedMediaType } from '../http/errors.ts';
import { inTextOrder, unknownField } from '../http/repeated-keys.ts';
import type { ResourceRequest } from './context.ts';
import { omitEmpty } from './omit-empty.ts';
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
  const unrecognized = (why: string) =>
    badRequest(
      `the object provided is unrecognized (must be of type ${type.kind}): ${why} (${summaryOf(body)})`,
    );
  const mismatched = (why: string, { kind, version }: BodyType) =>
    badRequest(`${kind} in version "${version}" cannot be handled as a ${type.kind}: ${why}`);
  const decoded = decodeAny(body, { contentType, unrecognized });
  return decodeObject(request, {
    type,
    value: withType(decoded.value, type, { unrecognized, mismatched }),
    write: options,
    body: decoded,
  });
}

function decodeAny(
  body: Buffer,
  { contentType, unrecognized }: { contentType: string | undefined; unrecognized: Refusals['unrecognized'] },
): DecodedBody {
  try {
    return decodeBody(body, contentType);
  } catch (error) {
    if (error instanceof StatusError && error.status.reason === 'BadRequest')
      throw unrecognized(error.message);
    throw error;
  }
}

const SUMMARY_BYTES = 30;

/** The beginning of a body: JSON as it is, else in hexadecimal (upstream: handlers/rest.go summarizeData). */
function summaryOf(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const shown = body.subarray(0, SUMMARY_BYTES).toString(body[0] === '{'.charCodeAt(0) ? 'utf8' : 'hex');
  return body.length > SUMMARY_BYTES ? `${shown} ...` : shown;
}

/** The errors for a value that tells no type, and for one that tells another than it must have. */
interface Refusals {
  unrecognized: (why: string) => StatusError;
  mismatched: (why: string, given: BodyType) => StatusError;
}

/** The value with the type that it must have, which it may leave out. Throws 400, and what the refusals make. */
export function withType(value: unknown, type: BodyType, refusals: Refusals): Record<string, unknown> {
  const { unrecognized, mismatched } = refusals;
  const fault = (why: string) => unrecognized(`couldn't get version/kind; json parse error: json: ${why}`);
  if (!isObject(value)) throw fault(`cannot unmarshal ${jsonType(value)} into Go value of type ${TYPE_META}`);
  const expected = apiVersionOf(type);
  const [apiVersion, kind] = ['apiVersion', 'kind'].map((field) => {
    const given = value[field] ?? '';
    if (typeof given === 'string') return given;
    throw fault(`cannot unmarshal ${jsonType(given)} into Go struct field .${field} of type string`);
  });
  if (apiVersion?.split('/', 3).length === 3)
    throw unrecognized(`unexpected GroupVersion string: ${apiVersion}`);
  checkType({ apiVersion: apiVersion || expected, kind: kind || type.kind }, type, mismatched);
  return { ...value, apiVersion: expected, kind: type.kind };
}

const TYPE_META = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

const SCHEME = 'pkg/api/legacyscheme/scheme.go:30';

/** The value's type must be the expected one, and not unknown, another kind, or another version of this kind. */
function checkType(
  { apiVersion, kind }: { apiVersion: string; kind: string },
  type: BodyType,
  mismatched: Refusals['mismatched'],
): void {
  const expected = apiVersionOf(type);
  if (apiVersion === expected && kind === type.kind) return;
  const { group, version } = parseApiVersion(apiVersion);
  const isKnown = definitionNameFor(group, version, kind) !== undefined;
  // Of a custom resource any version can be read.
  const isCustom = definitionNameFor(type.group, type.version, type.kind) === undefined;
  if (kind === type.kind && (isKnown || isCustom)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  const why = isKnown
    ? `converting (${version}.${kind}) to (${packageOf(type.group)}.${type.kind}): unknown conversion`
    : `no kind "${kind}" is registered for version "${apiVersion}" in scheme "${SCHEME}"`;
  throw mismatched(why, { group, version, kind });
}

/** What upstream calls the package of a group's internal types. */
function packageOf(group: string): string {
  const [first = ''] = group.split('.');
  return group === '' || first === 'events' ? 'core' : first;
}

/** Prunes, checks types and applies defaults to a value that came from a client. Throws 400. */
function decodeObject(
  request: ResourceRequest,
  options: { type: BodyType; value: unknown; write: WriteOptions; body: DecodedBody },
): ApiObject {
  const { type, value, write, body } = options;
  const refuse = (why: string) => cannotBe(type, why);
  const { object, unknown } = readFields({ request, type, value, refuse });
  const found = [...body.strictErrors, ...unknown.map(unknownField)];
  const isCustom = request.kind.custom !== undefined;
  const strict = isCustom || body.json === undefined ? found : inTextOrder(body.json, found);
  if (strict.length > 0 && write.fieldValidation === 'Strict')
    throw refuse(`strict decoding error: ${strict.join(', ')}`);
  if (write.fieldValidation === 'Warn') warn(request, strict);
  return object;
}

/** 400 for a body that is no such type, in upstream's words. */
export const cannotBe = ({ kind, version }: BodyType, why: string): StatusError =>
  badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);

/** Adds warnings to the answer, each once. */
export function warn({ warnings }: ResourceRequest, texts: string[]): void {
  warnings.push(...texts.filter((text) => !warnings.includes(text)));
}

/**
 * A value that came from a client as an object of its type, with defaults, and the paths of fields that the type doesn't know, which are dropped.
 * Throws what `refuse` makes of a value that cannot be one.
 */
export function readFields(options: {
  request: ResourceRequest;
  type: BodyType;
  value: unknown;
  refuse: (why: string) => StatusError;
  /** False where only what the client wrote counts (server-side apply). */
  defaults?: boolean;
}): { object: ApiObject; unknown: string[] } {
  const { request, type } = options;
  const { value, findings } = decodeAs(options);
  if (findings.wrongType !== undefined) throw options.refuse(findings.wrongType);
  const object = value as ApiObject;
  object.metadata ??= {};
  if (options.defaults !== false) defaultObject(object, type === request.kind ? request.kind : {});
  return { object, unknown: findings.unknown };
}

/** By the type's definition, or for a custom resource by its own schema. */
function decodeAs({ request, type, value }: Parameters<typeof readFields>[0]): Decoded {
  const { custom } = request.kind;
  if (custom !== undefined && type === request.kind) return custom.decode(value);
  const definition = definitionNameFor(type.group, type.version, type.kind) ?? '';
  return decodeFields({ value, definition, definitions: request.server.definitions });
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Fills in the defaults of the object's kind; what only looks like a value goes first. */
export function defaultObject(object: ApiObject, { custom }: Pick<Kind, 'custom'>): void {
  if (custom !== undefined) {
    omitEmpty(object.metadata, OBJECT_META);
    return custom.applyDefaults(object);
  }
  const { group, version } = parseApiVersion(object.apiVersion);
  omitEmpty(object, definitionNameFor(group, version, object.kind) ?? '');
  applyDefaults(object);
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
