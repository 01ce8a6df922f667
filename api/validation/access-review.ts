import type {
  FieldSelectorRequirement,
  KubernetesObject,
  LabelSelectorRequirement,
  LocalSubjectAccessReview,
  NonResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../types.ts';
import type { FieldError } from './field-error.ts';
import { invalid, required } from './field-error.ts';
import { checkValueCount, isSelectorOperator, validateRequirement } from './label-selector.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Source: Kubernetes pkg/apis/authorization/validation/validation.go. */
export function validateSubjectAccessReview(review: SubjectAccessReview): FieldError[] {
  return [...checkSubjectSpec(review.spec), ...checkNoMetadata(review)];
}

export function validateSelfSubjectAccessReview(review: SelfSubjectAccessReview): FieldError[] {
  const { spec } = review;
  return [...checkAttributes(spec), ...checkSelectors(spec), ...checkNoMetadata(review)];
}

export function validateLocalSubjectAccessReview(review: LocalSubjectAccessReview): FieldError[] {
  const { metadata, spec } = review;
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const { namespace = '' } = resource ?? {};
  return [
    ...checkSubjectSpec(spec),
    ...checkNoMetadata(review, 'namespace'),
    ...(resource !== undefined && namespace !== (metadata?.namespace ?? '')
      ? [invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace')]
      : []),
    ...(path === undefined
      ? []
      : [invalid('spec.nonResourceAttributes', shown(path), 'disallowed on this kind of request')]),
  ];
}

const checkSubjectSpec = (spec: SubjectAccessReviewSpec): FieldError[] => [
  ...checkAttributes(spec),
  ...checkSubject(spec),
  ...checkSelectors(spec),
];

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

function checkSelectors({ resourceAttributes = {} }: SelfSubjectAccessReviewSpec): FieldError[] {
  const { fieldSelector, labelSelector } = resourceAttributes;
  return [
    ...checkSelector(fieldSelector, 'spec.resourceAttributes.fieldSelector', checkFieldRequirement),
    ...checkSelector(labelSelector, 'spec.resourceAttributes.labelSelector', checkLabelRequirement),
  ];
}

/** A selector is a text or a list of requirements. */
function checkSelector<Requirement>(
  selector: { rawSelector?: string; requirements?: Requirement[] } | undefined,
  path: string,
  check: (requirement: Requirement, path: string) => FieldError[],
): FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = '', requirements = [] } = selector;
  const [hasText, hasList] = [rawSelector !== '', requirements.length > 0];
  const both = 'may not specified at the same time as requirements';
  const none = `when ${path} is specified, requirements or rawSelector is required`;
  return [
    ...(hasText && hasList ? [invalid(`${path}.rawSelector`, rawSelector, both)] : []),
    ...(hasText || hasList ? [] : [required(`${path}.requirements`, none)]),
    ...requirements.flatMap((requirement, index) => check(requirement, `${path}.requirements[${index}]`)),
  ];
}

/** Clients may be newer than this server: operators that it doesn't know are not refused. */
const checkFieldRequirement = (
  { key, operator, values = [] }: FieldSelectorRequirement,
  path: string,
): FieldError[] => [
  ...((key ?? '') === '' ? [required(`${path}.key`, 'must be specified')] : []),
  ...(isSelectorOperator(operator) ? checkValueCount(operator, values, path) : []),
];

const checkLabelRequirement = (requirement: LabelSelectorRequirement, path: string): FieldError[] =>
  validateRequirement(requirement, path, { unknownOperators: true });

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
