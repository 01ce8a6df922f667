import { parseApiVersion } from '../../../api/meta.ts';
import type { AuthenticationV1TokenRequest as TokenRequest, Pod } from '../../../api/types.ts';
import type { BoundObject } from '../../authentication/service-account-tokens.ts';
import { badRequest, conflictError, invalidError, notFoundError } from '../../http/errors.ts';
import type { ApiObject } from '../../registry/kind.ts';
import type { Endpoint, ResourceRequest } from '../context.ts';
import { placeOfRequest } from '../place.ts';
import { checkPlace, readObject } from '../read-object.ts';
import { timestamp } from '../timestamp.ts';
import { writeOptions } from '../write-options.ts';

const TOKEN_REQUEST = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
const DEFAULT_SECONDS = 3600;
const MINIMUM_SECONDS = 600;
const MAXIMUM_SECONDS = 2 ** 32;
const PLURALS = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' } as const;

/** POST serviceaccounts/token: a signed token for audiences, perhaps bound to a Pod, Secret or Node. Throws 400, 404, 409 and 422. */
export const requestToken: Endpoint = async (request) => {
  const { kind, server, info } = request;
  const options = writeOptions(info.query, 'CreateOptions');
  const object = await readObject(request, TOKEN_REQUEST, options);
  checkPlace(object, kind, info);
  await server.admission.validate({ operation: 'CREATE', request, object, oldObject: undefined, options });
  const { spec } = object as unknown as TokenRequest;
  const account = (await server.stores.of(kind).find(placeOfRequest(request)))?.object;
  if (account === undefined) throw notFoundError(kind, info.name);
  const expirationSeconds = checkExpiration(spec?.expirationSeconds ?? DEFAULT_SECONDS);
  const { bound, node } = await boundObject(request, spec?.boundObjectRef);
  const audiences = (spec?.audiences ?? []).length > 0 ? (spec?.audiences ?? []) : [server.tokens.issuer];
  const { token, expiresAt } = await server.tokens.issue({
    namespace: info.namespace,
    serviceAccount: { name: info.name, uid: account.metadata.uid ?? '' },
    audiences,
    expirationSeconds,
    bound,
    node,
  });
  const answer = {
    ...object,
    metadata: { ...object.metadata, creationTimestamp: timestamp(server.now()) },
    spec: { ...spec, audiences, expirationSeconds },
    status: { token, expirationTimestamp: timestamp(expiresAt) },
  };
  return { status: 201, object: answer };
};

function checkExpiration(seconds: number): number {
  const refuse = (message: string) =>
    invalidError({ group: 'authentication.k8s.io', kind: 'TokenRequest', plural: '' }, '', [
      {
        field: 'spec.expirationSeconds',
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${seconds}: ${message}`,
      },
    ]);
  if (seconds < MINIMUM_SECONDS) throw refuse('may not specify a duration less than 10 minutes');
  if (seconds > MAXIMUM_SECONDS) throw refuse('may not specify a duration larger than 2^32 seconds');
  return seconds;
}

type ObjectReference = NonNullable<TokenRequest['spec']>['boundObjectRef'];

async function boundObject(request: ResourceRequest, reference: ObjectReference) {
  if (reference === undefined) return { bound: undefined, node: undefined };
  const { name = '', uid, apiVersion = '' } = reference;
  const { group, version } = parseApiVersion(apiVersion);
  const kind = Object.hasOwn(PLURALS, reference.kind ?? '')
    ? (reference.kind as BoundObject['kind'])
    : undefined;
  if (kind === undefined || group !== '')
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${reference.kind ?? ''}`);
  const plural = PLURALS[kind];
  const stores = request.server.stores;
  const namespace = kind === 'Node' ? '' : request.info.namespace;
  const found = (await stores.named('', plural).find({ namespace, name }))?.object;
  const type = { group: '', kind, plural };
  if (found === undefined) throw notFoundError(type, name);
  if (kind === 'Pod') checkAccount(request, found);
  if (uid && uid !== found.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflictError(type, name, why);
  }
  const bound: BoundObject = { kind, name, uid: found.metadata.uid ?? '' };
  return { bound, node: kind === 'Pod' ? nodeOf(request, found) : undefined };
}

/** A token of one account must not end with a Pod of another, which could so seem to be its bearer. Throws 400. */
function checkAccount({ info }: ResourceRequest, { spec }: ApiObject & Pod): void {
  if (spec?.serviceAccountName === info.name) return;
  throw badRequest(
    `cannot bind token for serviceaccount ${JSON.stringify(info.name)} to pod running with different serviceaccount name.`,
  );
}

function nodeOf({ server }: ResourceRequest, pod: ApiObject) {
  const { nodeName } = (pod['spec'] ?? {}) as { nodeName?: string };
  if (!nodeName) return undefined;
  const node = server.stores.named('', 'nodes').peek({ namespace: '', name: nodeName });
  return { name: nodeName, uid: node?.metadata.uid ?? '' };
}
