import type {
  KubernetesObject,
  LocalSubjectAccessReview,
  NonResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../types.ts';
import type { FieldError } from './field-error.ts';
import { invalid } from './field-error.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Source: Kubernetes pkg/apis/authorization/validation/validation.go. */
export function validateSubjectAccessReview(review: SubjectAccessReview): FieldError[] {
  return [...checkAttributes(review.spec), ...checkSubject(review.spec), ...checkNoMetadata(review)];
}

export function validateSelfSubjectAccessReview(review: SelfSubjectAccessReview): FieldError[] {
  return [...checkAttributes(review.spec), ...checkNoMetadata(review)];
}

export function validateLocalSubjectAccessReview(review: LocalSubjectAccessReview): FieldError[] {
  const { metadata, spec } = review;
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const { namespace = '' } = resource ?? {};
  return [
    ...checkAttributes(spec),
    ...checkSubject(spec),
    ...checkNoMetadata(review, 'namespace'),
    ...(resource !== undefined && namespace !== (metadata?.namespace ?? '')
      ? [invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace')]
      : []),
    ...(path === undefined
      ? []
      : [invalid('spec.nonResourceAttributes', shown(path), 'disallowed on this kind of request')]),
  ];
}

function checkAttributes(spec: SelfSubjectAccessReviewSpec): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (resource !== undefined && path !== undefined) {
    const why = 'cannot be specified in combination with resourceAttributes';
    return [invalid('spec.nonResourceAttributes', shown(path), why)];
  }
  if (resource !== undefined || path !== undefined) return [];
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  // A pointer to nothing is shown as this text.
  return [invalid('spec.resourceAttributes', 'null', why)];
}

function checkSubject({ user = '', groups = [] }: SubjectAccessReviewSpec): FieldError[] {
  if (user !== '' || groups.length > 0) return [];
  return [invalid('spec.user', user, 'at least one of user or group must be specified')];
}

function checkNoMetadata({ metadata = {} }: KubernetesObject, except?: 'namespace'): FieldError[] {
  const allowed = ['managedFields', except];
  const others = Object.entries(metadata).filter(([field]) => !allowed.includes(field));
  if (semanticEqual(Object.fromEntries(others), {})) return [];
  return [
    invalid('metadata', metadata, `must be empty${except === undefined ? '' : ` except for ${except}`}`),
  ];
}

/** Upstream shows its internal type, whose fields have no JSON names. */
const shown = ({ path = '', verb = '' }: NonResourceAttributes) => ({ Path: path, Verb: verb });
