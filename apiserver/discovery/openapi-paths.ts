import type { Kind, Verb } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import { schemaNameOf } from './custom-schemas.ts';

type OpenApiVersion = 2 | 3;

const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  STRATEGIC_MERGE_PATCH,
  'application/apply-patch+yaml',
];

const METHODS: { verb: Verb; method: string; action: string; onObject: boolean }[] = [
  { verb: 'list', method: 'get', action: 'list', onObject: false },
  { verb: 'create', method: 'post', action: 'post', onObject: false },
  { verb: 'deletecollection', method: 'delete', action: 'deletecollection', onObject: false },
  { verb: 'get', method: 'get', action: 'get', onObject: true },
  { verb: 'update', method: 'put', action: 'put', onObject: true },
  { verb: 'patch', method: 'patch', action: 'patch', onObject: true },
  { verb: 'delete', method: 'delete', action: 'delete', onObject: true },
];

/** The paths of a kind with the operations that clients look for: their actions, types and query parameters. */
export function pathsOf(kind: Kind, openApi: OpenApiVersion): Record<string, unknown> {
  const collection = `/${root(kind)}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`;
  const paths: Record<string, unknown> = {};
  const onCollection = operations({ kind, openApi, onObject: false });
  const onObject = operations({ kind, openApi, onObject: true });
  if (Object.keys(onCollection).length > 0) paths[collection] = onCollection;
  if (Object.keys(onObject).length > 0) paths[`${collection}/{name}`] = onObject;
  return paths;
}

const root = (kind: Kind): string =>
  kind.group === '' ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`;

function operations(options: {
  kind: Kind;
  openApi: OpenApiVersion;
  onObject: boolean;
}): Record<string, unknown> {
  const { kind, openApi, onObject } = options;
  const served = METHODS.filter((method) => method.onObject === onObject && kind.verbs.includes(method.verb));
  return Object.fromEntries(served.map((method) => [method.method, operation({ kind, openApi, ...method })]));
}

function operation(options: { kind: Kind; openApi: OpenApiVersion; verb: Verb; action: string }) {
  const { kind, openApi, verb, action } = options;
  const { group, version } = kind;
  const operationId = `${action}${camel(group)}${camel(version)}${kind.namespaced ? 'Namespaced' : ''}${kind.kind}`;
  return {
    operationId,
    ...body(options),
    parameters: parametersOf(verb).map((name) => parameter(name, openApi)),
    responses: {
      200: { description: 'OK', ...content({ kind, openApi, verb }) },
      401: { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
  };
}

const camel = (text: string): string =>
  text
    .split(/[./-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

function body({ kind, openApi, verb }: { kind: Kind; openApi: OpenApiVersion; verb: Verb }) {
  if (verb !== 'patch') return {};
  const schema = { type: 'object' };
  const types = PATCH_TYPES.filter((type) => kind.custom === undefined || type !== STRATEGIC_MERGE_PATCH);
  if (openApi === 2) return { consumes: types };
  return {
    requestBody: {
      content: Object.fromEntries(types.map((type) => [type, { schema }])),
      required: true,
    },
  };
}

function content({ kind, openApi, verb }: { kind: Kind; openApi: OpenApiVersion; verb: Verb }) {
  const name = schemaNameOf(kind, verb === 'list');
  if (name === undefined) return {};
  if (openApi === 2) return { schema: { $ref: `#/definitions/${name}` } };
  return { content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } };
}

const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'];
const LIST_PARAMETERS = [
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
  'allowWatchBookmarks',
];

function parametersOf(verb: Verb): string[] {
  switch (verb) {
    case 'create':
    case 'update':
      return WRITE_PARAMETERS;
    case 'patch':
      return [...WRITE_PARAMETERS, 'force'];
    case 'delete':
      return ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'];
    case 'deletecollection':
    case 'list':
    case 'watch':
      return LIST_PARAMETERS;
    case 'get':
      return [];
  }
}

const TYPES: Record<string, string> = {
  limit: 'integer',
  timeoutSeconds: 'integer',
  gracePeriodSeconds: 'integer',
  watch: 'boolean',
  force: 'boolean',
  allowWatchBookmarks: 'boolean',
  sendInitialEvents: 'boolean',
};

function parameter(name: string, openApi: OpenApiVersion) {
  const type = TYPES[name] ?? 'string';
  return {
    name,
    in: 'query',
    ...(openApi === 2 ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } }),
  };
}
