import type { ResourceRequest, Result } from '../endpoints/context.ts';
import type { WriteOptions } from '../endpoints/write-options.ts';
import { unsupportedMediaType } from '../http/errors.ts';

/** Server-side apply. */
export function applyServerSide(_options: {
  request: ResourceRequest;
  value: unknown;
  strictErrors: string[];
  options: WriteOptions;
}): Promise<Result> {
  return Promise.reject(unsupportedMediaType());
}
