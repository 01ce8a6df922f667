import type { PolicyRule, SelfSubjectRulesReviewSpec } from '../../../api/types.ts';
import type { UserInfo } from '../../authentication/user.ts';
import { nodeNameOf } from '../../authentication/user.ts';
import { aggregate } from '../../authorization/missing-rights.ts';
import { badRequest } from '../../http/errors.ts';
import type { Endpoint } from '../context.ts';
import { readObject } from '../read-object.ts';
import { writeOptions } from '../write-options.ts';

/** SelfSubjectRulesReview: all that I may do in a namespace (kubectl auth can-i --list). */
export const reviewOwnRules: Endpoint = async (request) => {
  const review = await readObject(request, request.kind, writeOptions(request.info.query, 'CreateOptions'));
  const { namespace = '' } = (review['spec'] ?? {}) as SelfSubjectRulesReviewSpec;
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, errors } = request.server.rulesFor(request.user, namespace);
  const status = {
    resourceRules: rules.filter(isResourceRule).map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      resourceNames,
    })),
    nonResourceRules: rules
      .filter((rule) => !isResourceRule(rule))
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    ...completenessFor(request.user, errors),
  };
  return { status: 201, object: { ...review, status } };
};

const NODE_ERROR = 'node authorizer does not support user rule resolution';

/**
 * What a node may do depends on its Pods, which no list of rules tells (upstream: NodeAuthorizer.RulesFor); a role that is not there
 * gives nothing.
 */
function completenessFor(user: UserInfo, errors: string[]) {
  const incomplete = nodeNameOf(user) !== undefined;
  const all = [...(incomplete ? [NODE_ERROR] : []), ...errors];
  return { incomplete, ...(all.length > 0 && { evaluationError: aggregate(all) }) };
}

const isResourceRule = ({ resources }: PolicyRule): boolean => (resources ?? []).length > 0;
