import { goJson, goPrint } from '../../api/go-format.ts';
import { StatusError } from '../../api/status.ts';
import { applyJsonPatch } from '../../api/patch/json.ts';
import { applyMergePatch } from '../../api/patch/merge.ts';
import { applyStrategicMergePatch } from '../../api/patch/strategic.ts';
import { forbidden } from '../../api/validation/field-error.ts';
import { applyServerSide } from '../apply/apply.ts';
import { decodeBody, mediaTypeOf, parsePatch, readBody } from '../http/body.ts';
import { badRequest, invalidError, statusError, unsupportedMediaType } from '../http/errors.ts';
import { duplicateFields } from '../http/repeated-keys.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import type { Endpoint, ResourceRequest } from './context.ts';
import { cannotBePatched, readPatched, strictErrorsOfJsonPatch } from './patched-object.ts';
import { checkPlace, withType } from './read-object.ts';
import type { BodyType } from './read-object.ts';
import { updateInRegistry } from './update.ts';
import type { WriteOptions } from './write-options.ts';
import { writeOptions } from './write-options.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';
const APPLY_PATCH = 'application/apply-patch+yaml';

/** PATCH in any of the four patch types. Throws 400, 403, 404, 409, 415 and 422. */
export const patchObject: Endpoint = async (request) => {
  const { info } = request;
  const { headers } = request.request;
  const type = mediaTypeOf(headers['content-type']);
  const options = writeOptions(info.query, 'PatchOptions', headers['user-agent']);
  const patchTypes = acceptedTypes(request.kind);
  if (!patchTypes.includes(type)) throw unsupportedMediaType(patchTypes);
  const body = await readBody(request.request);
  if (type === APPLY_PATCH) {
    const { value, strictErrors } = decodeBody(body, type);
    return applyServerSide({ request, value, strictErrors, options });
  }
  if (info.query.has('force')) throw forceForbidden();
  const text = body.toString();
  const patch = parsePatch(text);
  const strictErrors = type === JSON_PATCH ? strictErrorsOfJsonPatch(text, patch) : duplicateFields(text);
  const change = (current: ApiObject) =>
    Promise.resolve(patched({ request, current, patch, strictErrors, type, options }));
  return { status: 200, object: await updateInRegistry({ request, options, change }) };
};

/** Only what is applied can be forced (upstream: metav1 validation ValidatePatchOptions). */
const forceForbidden = (): StatusError =>
  invalidError({ group: 'meta.k8s.io', kind: 'PatchOptions', plural: '' }, '', [
    forbidden('force', 'may not be specified for non-apply patch'),
  ]);

/** Custom resources have no struct tags, hence no strategic merge. */
const acceptedTypes = ({ custom }: Kind): string[] =>
  custom !== undefined
    ? [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
    : [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH];

function patched(options: {
  request: ResourceRequest;
  current: ApiObject;
  patch: unknown;
  strictErrors: string[];
  type: string;
  options: WriteOptions;
}): ApiObject {
  const { request, current, patch, strictErrors, type, options: write } = options;
  const { kind, info } = request;
  const result = applyPatch({ kind, current, patch, type });
  const isStrategic = type === STRATEGIC_MERGE_PATCH;
  const shown = () => (isStrategic ? goPrint(patch) : goJson(result));
  const refuse = (why: string) => cannotBePatched(shown(), why);
  // Defaults and validation go by the type: a patch that changed it would go past them. A strategic one has no type to change.
  const value = isStrategic
    ? { ...(result as object), apiVersion: apiVersionOf(kind), kind: kind.kind }
    : withType(result, kind, { unrecognized: refuse, mismatched: refuse });
  const object = readPatched({ request, type: kind, value, write, strictErrors, refuse });
  checkPlace(object, kind, info);
  return object;
}

/** Applies a JSON, merge or strategic merge patch. Throws 400 and 422. */
export function applyPatch(options: {
  kind: BodyType;
  current: ApiObject;
  patch: unknown;
  type: string;
}): unknown {
  const { kind, current, patch, type } = options;
  try {
    if (type === JSON_PATCH) return applyJsonPatch(current, patch);
    if (type === MERGE_PATCH) return applyMergePatch(current, checkObject(patch));
    const { group, version } = kind;
    return applyStrategicMergePatch(current, checkObject(patch), { group, version, kind: kind.kind });
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw unprocessable(error instanceof Error ? error.message : String(error));
  }
}

function checkObject(patch: unknown): Record<string, unknown> {
  if (typeof patch === 'object' && patch !== null && !Array.isArray(patch))
    return patch as Record<string, unknown>;
  throw badRequest('error decoding patch: the patch must be an object');
}

/** 422 for a patch that is well-formed but cannot be applied. */
const unprocessable = (message: string) =>
  statusError({
    code: 422,
    reason: 'Invalid',
    message: `the server rejected our request due to an error in our request: ${message}`,
    details: {},
  });
