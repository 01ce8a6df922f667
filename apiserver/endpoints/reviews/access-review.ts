import type { SelfSubjectAccessReviewSpec, SubjectAccessReviewSpec } from '../../../api/types.ts';
import type { UserInfo } from '../../authentication/user.ts';
import type { Attributes } from '../../authorization/authorizer.ts';
import { badRequest, invalidError } from '../../http/errors.ts';
import type { ApiObject } from '../../registry/kind.ts';
import type { Endpoint, ResourceRequest, Result } from '../context.ts';
import { readObject } from '../read-object.ts';
import { writeOptions } from '../write-options.ts';

/** SubjectAccessReview: may that user do this? */
export const reviewAccess: Endpoint = async (request) => {
  const review = await readReview(request);
  const spec = review['spec'] as SubjectAccessReviewSpec;
  if (!spec.user && (spec.groups ?? []).length === 0)
    throw missing(request, 'spec.user', 'at least one of user or group must be specified');
  return decide(request, review, { spec, user: userOf(spec) });
};

/** LocalSubjectAccessReview: the same within one namespace. */
export const reviewLocalAccess: Endpoint = async (request) => {
  const review = await readReview(request);
  const spec = review['spec'] as SubjectAccessReviewSpec;
  const namespace = spec.resourceAttributes?.namespace ?? '';
  if (namespace !== request.info.namespace) {
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${request.info.namespace}`);
  }
  return decide(request, review, { spec, user: userOf(spec) });
};

/** SelfSubjectAccessReview: may I do this (kubectl auth can-i)? */
export const reviewOwnAccess: Endpoint = async (request) => {
  const review = await readReview(request);
  return decide(request, review, { spec: review['spec'] as SelfSubjectAccessReviewSpec, user: request.user });
};

const readReview = (request: ResourceRequest): Promise<ApiObject> =>
  readObject(request, request.kind, writeOptions(request.info.query, 'CreateOptions'));

const userOf = ({ user = '', groups = [], uid = '', extra = {} }: SubjectAccessReviewSpec): UserInfo => ({
  username: user,
  groups,
  uid,
  extra,
});

function missing({ kind }: ResourceRequest, field: string, detail: string) {
  return invalidError(kind, '', [
    { field, reason: 'FieldValueInvalid', message: `Invalid value: ${detail}` },
  ]);
}

interface Question {
  spec: SelfSubjectAccessReviewSpec;
  user: UserInfo;
}

function decide(request: ResourceRequest, review: ApiObject, { spec, user }: Question): Result {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw missing(request, 'spec.resourceAttributes', detail);
  }
  const { allowed, reason } = request.server.authorizer.authorize(attributesOf(spec, user));
  return { status: 201, object: { ...review, status: { allowed, ...(reason !== '' && { reason }) } } };
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
