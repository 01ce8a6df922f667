import type { TokenReviewSpec } from '../../../api/types.ts';
import type { UserInfo } from '../../authentication/user.ts';
import { badRequest } from '../../http/errors.ts';
import type { Endpoint } from '../context.ts';
import { readObject } from '../read-object.ts';
import { timestamp } from '../timestamp.ts';
import { writeOptions } from '../write-options.ts';

/** TokenReview: whose token is this, and is it for these audiences? */
export const reviewToken: Endpoint = async (request) => {
  const review = await readObject(request, request.kind, writeOptions(request.info.query, 'CreateOptions'));
  const { token = '', audiences = [] } = (review['spec'] ?? {}) as Partial<TokenReviewSpec>;
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const asked = audiences.length > 0 ? audiences : undefined;
  const verified = await request.server.tokens.verify(token, asked);
  const status =
    verified === undefined
      ? { user: {}, error: 'invalid bearer token' }
      : {
          authenticated: true,
          user: describe(verified.user),
          ...(asked !== undefined && { audiences: verified.audiences }),
        };
  return { status: 201, object: { ...review, status } };
};

/** SelfSubjectReview: who am I (kubectl auth whoami)? */
export const reviewSelf: Endpoint = async (request) => {
  const review = await readObject(request, request.kind, writeOptions(request.info.query, 'CreateOptions'));
  const metadata = { ...review.metadata, creationTimestamp: timestamp(request.server.now()) };
  return { status: 201, object: { ...review, metadata, status: { userInfo: describe(request.user) } } };
};

const describe = ({ username, uid, groups, extra }: UserInfo) => ({
  username,
  ...(uid !== '' && { uid }),
  groups,
  ...(Object.keys(extra).length > 0 && { extra }),
});
