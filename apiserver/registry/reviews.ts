import type { Kind } from './kind.ts';

const review = (group: string, kind: string, options: { namespaced?: boolean } = {}): Kind => ({
  group,
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  namespaced: options.namespaced ?? false,
  verbs: ['create'],
  strategy: {},
});

/** Questions that are answered and never stored. */
export const reviews: Kind[] = [
  review('authentication.k8s.io', 'TokenReview'),
  review('authentication.k8s.io', 'SelfSubjectReview'),
  review('authorization.k8s.io', 'LocalSubjectAccessReview', { namespaced: true }),
  review('authorization.k8s.io', 'SelfSubjectAccessReview'),
  review('authorization.k8s.io', 'SelfSubjectRulesReview'),
  review('authorization.k8s.io', 'SubjectAccessReview'),
];

/** True for kinds that have no storage. */
export const isReview = (kind: Kind): boolean => kind.verbs.length === 1 && kind.verbs[0] === 'create';
