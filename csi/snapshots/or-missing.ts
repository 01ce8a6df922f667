import { isNotFound } from '../../client/errors.ts';

/** What a get resolves with; undefined when the server says NotFound. */
export const orMissing = async <T>(get: Promise<T>): Promise<T | undefined> => {
  try {
    return await get;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};
