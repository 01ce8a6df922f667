import { goJson } from '../../../api/go-format.ts';
import type { Scale } from '../../../api/types.ts';
import { setValueAt, valueAt } from '../../custom-resources/scale-paths.ts';
import { mediaTypeOf, parsePatch, readBody } from '../../http/body.ts';
import {
  badRequest,
  internalError,
  invalidError,
  notFoundError,
  unsupportedMediaType,
} from '../../http/errors.ts';
import { duplicateFields } from '../../http/repeated-keys.ts';
import type { ApiObject, CustomBehaviour } from '../../registry/kind.ts';
import type { Endpoint, ResourceRequest, Result } from '../context.ts';
import { placeOfRequest } from '../place.ts';
import { applyPatch } from '../patch.ts';
import { cannotBePatched, readPatched, strictErrorsOfJsonPatch } from '../patched-object.ts';
import { checkPlace, readObject } from '../read-object.ts';
import { present } from '../represent.ts';
import { updateInRegistry } from '../update.ts';
import type { WriteOptions } from '../write-options.ts';
import { writeOptions } from '../write-options.ts';

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';

type Paths = NonNullable<CustomBehaviour['scale']>;

/** GET, PUT and PATCH of a custom resource's scale: its replicas as autoscaling/v1 (upstream: registry/customresource/etcd.go ScaleREST). */
export const scaleCustomResource: Endpoint = async (request) => {
  const paths = request.kind.custom?.scale;
  if (paths === undefined) throw internalError(`${request.kind.plural} has no scale`);
  if (request.info.verb === 'get') return readScale(request, paths);
  return request.info.verb === 'update' ? replaceScale(request, paths) : patchScale(request, paths);
};

async function readScale(request: ResourceRequest, paths: Paths): Promise<Result> {
  const { server, kind, info } = request;
  const found = await server.stores.of(kind).find(placeOfRequest(request));
  if (found === undefined) throw notFoundError(kind, info.name);
  const object = present(kind, found.object);
  if (valueAt(object, paths.specReplicasPath) === undefined)
    throw internalError(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} does not exist`);
  return { status: 200, object: scaleOf(object, paths) };
}

async function replaceScale(request: ResourceRequest, paths: Paths): Promise<Result> {
  const options = optionsOf(request, 'UpdateOptions');
  const scale = await readObject(request, SCALE, options);
  checkPlace(scale, request.kind, request.info);
  return changeScale({ request, paths, options, uid: scale.metadata.uid, change: () => scale });
}

async function patchScale(request: ResourceRequest, paths: Paths): Promise<Result> {
  const type = mediaTypeOf(request.request.headers['content-type']);
  if (type !== JSON_PATCH && type !== MERGE_PATCH) throw unsupportedMediaType([JSON_PATCH, MERGE_PATCH]);
  const options = optionsOf(request, 'PatchOptions');
  const text = (await readBody(request.request)).toString();
  const patch = parsePatch(text);
  const strictErrors = type === JSON_PATCH ? strictErrorsOfJsonPatch(text, patch) : duplicateFields(text);
  const change = (current: ApiObject): ApiObject => {
    const value = applyPatch({ kind: SCALE, current, patch, type });
    const refuse = (why: string) => cannotBePatched(goJson(value), why);
    const scale = readPatched({ request, type: SCALE, value, write: options, strictErrors, refuse });
    checkPlace(scale, request.kind, request.info);
    return scale;
  };
  return changeScale({ request, paths, options, change });
}

const optionsOf = ({ info, request }: ResourceRequest, kind: string): WriteOptions =>
  writeOptions(info.query, kind, request.headers['user-agent']);

/** Writes the replicas of a changed scale into the object that it stands for. */
async function changeScale(input: {
  request: ResourceRequest;
  paths: Paths;
  options: WriteOptions;
  uid?: string | undefined;
  change: (scale: ApiObject) => ApiObject;
}): Promise<Result> {
  const { request, paths, options, uid, change } = input;
  const object = await updateInRegistry({
    request,
    options,
    uid,
    change(current) {
      const scale = change(scaleOf(current, paths)) as ApiObject & Scale;
      const replicas = scale.spec?.replicas ?? 0;
      checkReplicas(scale, replicas);
      setValueAt(current, paths.specReplicasPath, replicas);
      const { resourceVersion } = scale.metadata;
      if (resourceVersion) current.metadata.resourceVersion = resourceVersion;
      return Promise.resolve(current);
    },
  });
  return { status: 200, object: scaleOf(object, paths) };
}

function checkReplicas(scale: ApiObject, replicas: number): void {
  if (!Number.isInteger(replicas)) throw badRequest('replicas must be an integer');
  if (replicas >= 0) return;
  throw invalidError({ ...SCALE, plural: 'scales' }, scale.metadata.name ?? '', [
    {
      field: 'spec.replicas',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
    },
  ]);
}

function scaleOf(object: ApiObject, paths: Paths): ApiObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const metadata = { name, namespace, uid, resourceVersion, creationTimestamp };
  const known = Object.entries(metadata).filter(([, value]) => value !== undefined);
  const selector =
    paths.labelSelectorPath === undefined ? undefined : valueAt(object, paths.labelSelectorPath);
  const scale = {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(known) as ApiObject['metadata'],
    spec: { replicas: valueAt(object, paths.specReplicasPath) ?? 0 },
    status: {
      replicas: valueAt(object, paths.statusReplicasPath) ?? 0,
      ...(selector !== undefined && { selector }),
    },
  };
  return scale;
}
