import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../../../api/types.ts';
import {
  validateLocalSubjectAccessReview,
  validateSelfSubjectAccessReview,
  validateSubjectAccessReview,
} from '../../../api/validation/access-review.ts';
import type { FieldError } from '../../../api/validation/field-error.ts';
import type { UserInfo } from '../../authentication/user.ts';
import type { Attributes } from '../../authorization/authorizer.ts';
import { invalidError } from '../../http/errors.ts';
import type { ApiObject } from '../../registry/kind.ts';
import type { Endpoint, ResourceRequest, Result } from '../context.ts';
import { checkPlace, readObject } from '../read-object.ts';
import { writeOptions } from '../write-options.ts';
import { readSelectors } from './selector-attributes.ts';

/** SubjectAccessReview: may that user do this? */
export const reviewAccess: Endpoint = async (request) => {
  const review = await readReview<SubjectAccessReview>(request);
  refuse(request, validateSubjectAccessReview(review));
  return decide(request, review, userOf(review.spec));
};

/** LocalSubjectAccessReview: the same within one namespace. */
export const reviewLocalAccess: Endpoint = async (request) => {
  const review = await readReview<LocalSubjectAccessReview>(request);
  refuse(request, validateLocalSubjectAccessReview(review));
  return decide(request, review, userOf(review.spec));
};

/** SelfSubjectAccessReview: may I do this (kubectl auth can-i)? */
export const reviewOwnAccess: Endpoint = async (request) => {
  const review = await readReview<SelfSubjectAccessReview>(request);
  refuse(request, validateSelfSubjectAccessReview(review));
  return decide(request, review, request.user);
};

type Review = SubjectAccessReview | SelfSubjectAccessReview;

async function readReview<Kind extends Review>(request: ResourceRequest): Promise<Kind> {
  const { kind, info } = request;
  const review = await readObject(request, kind, writeOptions(info.query, 'CreateOptions'));
  checkPlace(review, kind, { name: '', namespace: info.namespace });
  review['spec'] ??= {};
  return review as unknown as Kind;
}

const userOf = ({ user = '', groups = [], uid = '', extra = {} }: SubjectAccessReviewSpec): UserInfo => ({
  username: user,
  groups,
  uid,
  extra,
});

function refuse({ kind }: ResourceRequest, errors: FieldError[]): void {
  if (errors.length > 0) throw invalidError(kind, '', errors);
}

function decide(request: ResourceRequest, review: Review, user: UserInfo): Result {
  const { fieldSelector, errors } = readSelectors(review.spec.resourceAttributes ?? {});
  const attributes = { ...attributesOf(review.spec, user), fieldSelector };
  const { allowed, reason } = request.server.authorizer.authorize(attributes);
  const status = {
    allowed,
    ...(reason !== '' && { reason }),
    ...(errors.length > 0 && { evaluationError: errors.join('; ') }),
  };
  return { status: 201, object: { ...(review as unknown as ApiObject), status } };
}

function attributesOf(
  { resourceAttributes: resource, nonResourceAttributes: path }: SelfSubjectAccessReviewSpec,
  user: UserInfo,
): Attributes {
  return {
    user,
    verb: resource?.verb ?? path?.verb ?? '',
    isResource: resource !== undefined,
    path: path?.path ?? '',
    group: resource?.group ?? '',
    version: resource?.version ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
  };
}
