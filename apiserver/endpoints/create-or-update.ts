import { StatusError } from '../../api/status.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { ResourceRequest, Result } from './context.ts';
import { placeOfRequest } from './place.ts';

/** Each that is lost is another client's success: so many in the time of one request nobody has. */
const ATTEMPTS = 1000;

/**
 * Makes the object that the path names, or changes it when it is there. When another client makes or deletes it between the look and the
 * write, the other way is taken, as if the other client had been earlier.
 */
export async function createOrUpdate(
  request: ResourceRequest,
  ways: { create(): Promise<ApiObject>; update(): Promise<ApiObject> },
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const isThere = await exists(request);
    try {
      return isThere
        ? { status: 200, object: await ways.update() }
        : { status: 201, object: await ways.create() };
    } catch (error) {
      const lost = isThere ? 'NotFound' : 'AlreadyExists';
      if (attempt === ATTEMPTS || !(error instanceof StatusError) || error.status.reason !== lost)
        throw error;
    }
  }
}

const exists = async (request: ResourceRequest): Promise<boolean> =>
  (await request.server.stores.of(request.kind).find(placeOfRequest(request))) !== undefined;
