import type { Endpoint } from '../context.ts';
import { reviewAccess, reviewLocalAccess, reviewOwnAccess } from './access-review.ts';
import { bindPod } from '../subresources/binding.ts';
import { reviewOwnRules } from './rules-review.ts';
import { reviewSelf, reviewToken } from './token-review.ts';

/** Kinds that are questions: POST answers them, nothing is stored. */
export const reviewEndpoints: Record<string, Endpoint> = {
  Binding: bindPod,
  LocalSubjectAccessReview: reviewLocalAccess,
  SelfSubjectAccessReview: reviewOwnAccess,
  SelfSubjectReview: reviewSelf,
  SelfSubjectRulesReview: reviewOwnRules,
  SubjectAccessReview: reviewAccess,
  TokenReview: reviewToken,
};
