import type { Attributes, Authorizer } from '../authorization/authorizer.ts';
import { refusalMessage } from '../authorization/authorizer.ts';
import { badRequest } from '../http/errors.ts';
import { forbidden } from '../../api/status.ts';
import type { UserInfo } from './user.ts';
import { ALL_AUTHENTICATED, ALL_UNAUTHENTICATED } from './user.ts';

const EXTRA_PREFIX = 'impersonate-extra-';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * Acting as another user by `Impersonate-User`, `-Group`, `-Uid` and `-Extra-*` (kubectl --as). The real user needs the right to
 * impersonate each part. Throws 400 and 403.
 */
export function impersonate(options: {
  user: UserInfo;
  /** Names and values in turn: a header may come more than once, and a group's name may hold a comma. */
  rawHeaders: string[];
  authorizer: Authorizer;
}): UserInfo {
  const { user, rawHeaders, authorizer } = options;
  const headers = valuesByName(rawHeaders);
  const [username = ''] = headers.get('impersonate-user') ?? [];
  const groups = (headers.get('impersonate-group') ?? []).filter(Boolean);
  const extra = readExtra(headers);
  const [uid = ''] = headers.get('impersonate-uid') ?? [];
  if (username === '') {
    if (groups.length === 0 && uid === '' && Object.keys(extra).length === 0) return user;
    throw badRequest('requested impersonation without impersonating a user');
  }
  for (const target of targetsOf({ username, groups, uid, extra })) checkRight({ user, authorizer, target });
  return { username, uid, groups: effectiveGroups(username, groups), extra };
}

function valuesByName(rawHeaders: string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    values.set(name, [...(values.get(name) ?? []), rawHeaders[index + 1] ?? '']);
  }
  return values;
}

function readExtra(headers: Map<string, string[]>): Record<string, string[]> {
  const entries = [...headers].filter(([name]) => name.startsWith(EXTRA_PREFIX));
  return Object.fromEntries(
    entries.map(([name, values]) => [decoded(name.slice(EXTRA_PREFIX.length)), values]),
  );
}

/** A key that is no good percent encoding is taken as it is, as upstream does. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

type Target = Pick<Attributes, 'group' | 'resource' | 'subresource' | 'namespace' | 'name'>;

function targetsOf({ username, groups, uid, extra }: UserInfo): Target[] {
  const [, namespace = '', account = ''] = SERVICE_ACCOUNT.exec(username) ?? [];
  const core = { group: '', subresource: '', namespace: '' };
  const authentication = { group: 'authentication.k8s.io', subresource: '', namespace: '' };
  return [
    account === ''
      ? { ...core, resource: 'users', name: username }
      : { ...core, resource: 'serviceaccounts', namespace, name: account },
    ...groups.map((name) => ({ ...core, resource: 'groups', name })),
    ...(uid === '' ? [] : [{ ...authentication, resource: 'uids', name: uid }]),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((name) => ({ ...authentication, resource: 'userextras', subresource: key, name })),
    ),
  ];
}

function checkRight({
  user,
  authorizer,
  target,
}: {
  user: UserInfo;
  authorizer: Authorizer;
  target: Target;
}): void {
  const attributes: Attributes = {
    ...target,
    user,
    verb: 'impersonate',
    isResource: true,
    path: '',
    version: 'v1',
  };
  const decision = authorizer.authorize(attributes);
  if (decision.allowed) return;
  const { group, resource, name } = target;
  throw forbidden({ group, resource }, name, refusalMessage(attributes));
}

function effectiveGroups(username: string, groups: string[]): string[] {
  const [, namespace] = SERVICE_ACCOUNT.exec(username) ?? [];
  const ofAccount =
    namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const known = groups.length > 0 ? groups : ofAccount;
  const already = known.includes(ALL_AUTHENTICATED) || known.includes(ALL_UNAUTHENTICATED);
  if (already) return known;
  return [...known, username === 'system:anonymous' ? ALL_UNAUTHENTICATED : ALL_AUTHENTICATED];
}
