import type { TLSSocket } from 'node:tls';
import type { IncomingMessage } from 'node:http';
import { forbidden } from '../../api/status.ts';
import { authenticate } from '../authentication/authenticate.ts';
import { impersonate } from '../authentication/impersonation.ts';
import type { UserInfo } from '../authentication/user.ts';
import type { Attributes } from '../authorization/authorizer.ts';
import { refusalMessage } from '../authorization/authorizer.ts';
import type { ServerParts } from '../endpoints/context.ts';
import { nameOfFieldSelector } from './request-info.ts';
import type { RequestInfo } from './request-info.ts';

/** Authenticates, impersonates and authorises one request. Throws 401 and 403. */
export async function secureRequest(options: {
  server: ServerParts;
  info: RequestInfo;
  request: Pick<IncomingMessage, 'headers' | 'rawHeaders'>;
  socket: TLSSocket;
}): Promise<UserInfo> {
  const { server, info, request, socket } = options;
  const { authorizer, tokens } = server;
  const real = await authenticate({ socket, headers: request.headers, path: info.path, tokens });
  const user = impersonate({ user: real, rawHeaders: request.rawHeaders, authorizer });
  const attributes = attributesOf(info, user);
  const decision = authorizer.authorize(attributes);
  if (!decision.allowed) throw refusal(attributes, decision.reason);
  return user;
}

const SELECTING_VERBS = new Set(['list', 'watch', 'deletecollection']);

/** What the request wants, for the authorizer; a selection of one name counts as that name. */
function attributesOf(info: RequestInfo, user: UserInfo): Attributes {
  const { verb, isResource, path, group, version, resource, subresource, namespace, query } = info;
  const fieldSelector = query.get('fieldSelector');
  const selected = SELECTING_VERBS.has(verb) ? nameOfFieldSelector(fieldSelector) : undefined;
  return {
    user,
    verb,
    isResource,
    path,
    group,
    version,
    resource,
    subresource,
    namespace,
    name: selected ?? info.name,
    ...(fieldSelector !== null && { fieldSelector }),
  };
}

/** For a request of another verb that makes something: it needs the right to create, too. Throws 403. */
export function checkCreateRight({
  server,
  info,
  user,
}: {
  server: ServerParts;
  info: RequestInfo;
  user: UserInfo;
}): void {
  if (info.verb === 'create') return;
  const attributes = { ...attributesOf(info, user), verb: 'create' };
  const decision = server.authorizer.authorize(attributes);
  if (!decision.allowed) throw refusal(attributes, decision.reason);
}

/** 403 in upstream's words. */
function refusal(attributes: Attributes, reason: string) {
  const { isResource, group, resource, name } = attributes;
  const message = refusalMessage(attributes) + (reason === '' ? '' : `: ${reason}`);
  return forbidden(isResource ? { group, resource } : undefined, name, message);
}
