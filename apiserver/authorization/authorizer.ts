import { quote } from '../../api/go-format.ts';
import type { UserInfo } from '../authentication/user.ts';

/** What a user wants to do. For resources the resource fields are set, for other paths only `verb` and `path`. */
export interface Attributes {
  user: UserInfo;
  verb: string;
  isResource: boolean;
  path: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  fieldSelector?: string;
}

/** Allowed, or no opinion with the reason for a refusal. */
export interface Decision {
  allowed: boolean;
  reason: string;
}

/** One authorization mode; the first that allows wins. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision;
}

/** Asks each mode in turn (upstream: authorization/union). */
export const union = (authorizers: Authorizer[]): Authorizer => ({
  authorize(attributes) {
    const reasons: string[] = [];
    for (const authorizer of authorizers) {
      const decision = authorizer.authorize(attributes);
      if (decision.allowed) return decision;
      if (decision.reason !== '') reasons.push(decision.reason);
    }
    return { allowed: false, reason: reasons.join('\n') };
  },
});

/** "User "x" cannot list resource "pods" in API group "" in the namespace "y"" (upstream: responsewriters.forbiddenMessage). */
export function refusalMessage(attributes: Attributes): string {
  const { user, verb, isResource, path, group, resource, subresource, namespace } = attributes;
  const username = quote(user.username);
  if (!isResource) return `User ${username} cannot ${verb} path ${JSON.stringify(path)}`;
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `User ${username} cannot ${verb} resource ${JSON.stringify(whole)} in API group ${JSON.stringify(group)} ${scope}`;
}
