import type { PolicyRule, SelfSubjectRulesReviewSpec } from '../../../api/types.ts';
import { badRequest } from '../../http/errors.ts';
import type { Endpoint } from '../context.ts';
import { readObject } from '../read-object.ts';
import { writeOptions } from '../write-options.ts';

/** SelfSubjectRulesReview: all that I may do in a namespace (kubectl auth can-i --list). */
export const reviewOwnRules: Endpoint = async (request) => {
  const review = await readObject(request, request.kind, writeOptions(request.info.query, 'CreateOptions'));
  const { namespace = '' } = (review['spec'] ?? {}) as SelfSubjectRulesReviewSpec;
  if (namespace === '') throw badRequest('no namespace on request');
  const rules = request.server.rulesFor(request.user, namespace);
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
    incomplete: false,
  };
  return { status: 201, object: { ...review, status } };
};

const isResourceRule = ({ resources }: PolicyRule): boolean => (resources ?? []).length > 0;
