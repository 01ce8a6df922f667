import type { Client } from '../../client/rest.ts';
import type { Clock } from '../../client/clock.ts';
import type { User } from './authentication.ts';

export interface Attributes {
  verb: string;
  /** Of `nodes`; one of them is enough. */
  subresources: string[];
}

const verbs: Record<string, string> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** What a request to the kubelet asks for, as a subresource of its node (upstream: server/auth.go). */
export function attributesOf(method: string, path: string): Attributes {
  const fine = [
    ['/pods', 'pods'],
    ['/healthz', 'healthz'],
    ['/configz', 'configz'],
    ['/runningpods', 'pods'],
  ].flatMap(([folder = '', name = '']) => (isBelow(path, folder) ? [name] : []));
  const coarse = [
    ['/stats', 'stats'],
    ['/metrics', 'metrics'],
    ['/logs', 'log'],
  ].find(([folder = '']) => isBelow(path, folder))?.[1];
  return { verb: verbs[method] ?? '', subresources: [...fine, coarse ?? 'proxy'] };
}

/** How long an answer holds (upstream: authorization.webhook). */
const allowedMs = 300_000;
const refusedMs = 30_000;

/** Asks the API server whether the user may; answers are kept for a while. */
export function createAuthorizer({
  client,
  clock,
  nodeName,
}: {
  client: Client;
  clock: Clock;
  nodeName: string;
}): (user: User, attributes: Attributes) => Promise<boolean> {
  const known = new Map<string, { allowed: boolean; untilMs: number }>();
  const isAllowed = async (user: User, verb: string, subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user, verb, subresource]);
    const cached = known.get(key);
    if (cached && cached.untilMs > clock.now()) return cached.allowed;
    const allowed = await review({ client, user, verb, subresource, nodeName });
    known.set(key, { allowed, untilMs: clock.now() + (allowed ? allowedMs : refusedMs) });
    if (known.size > 5000) known.delete(known.keys().next().value ?? '');
    return allowed;
  };
  return async (user, { verb, subresources }) => {
    for (const subresource of subresources) {
      if (await isAllowed(user, verb, subresource)) return true;
    }
    return false;
  };
}

async function review({
  client,
  user,
  verb,
  subresource,
  nodeName,
}: {
  client: Client;
  user: User;
  verb: string;
  subresource: string;
  nodeName: string;
}): Promise<boolean> {
  const { status } = await client.request<{ status?: { allowed?: boolean } }>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: user.name,
        groups: user.groups,
        uid: user.uid,
        extra: user.extra,
        resourceAttributes: { version: 'v1', resource: 'nodes', subresource, verb, name: nodeName },
      },
    }),
  });
  return status?.allowed === true;
}
