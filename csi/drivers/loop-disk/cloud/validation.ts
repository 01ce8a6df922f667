import { CloudError } from './errors.ts';
import { cacheModes } from './types.ts';
import type { CacheMode } from './types.ts';

/** Names that become parts of paths. */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new CloudError(
    'INVALID_PARAMETER',
    `${what} ${JSON.stringify(name)} is not a name: 1 to 63 of a-z, 0-9, '.', '_', '-', with a letter or digit first and last`,
  );
}

/** Names that people give, which only stand in records. */
export function checkTitle(what: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && name.length > 0 && name.length <= 255 && !/\p{Cc}/u.test(name)) return;
  throw new CloudError('INVALID_PARAMETER', `${what} must be text of 1 to 255 characters`);
}

export function checkSize(what: string, bytes: unknown): asserts bytes is number {
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes > 0) return;
  throw new CloudError(
    'INVALID_PARAMETER',
    `${what} ${JSON.stringify(bytes)} is not a whole number of bytes above 0`,
  );
}

export function checkCache(cache: unknown): asserts cache is CacheMode {
  if (cacheModes.some((mode) => mode === cache)) return;
  throw new CloudError(
    'INVALID_PARAMETER',
    `cache ${JSON.stringify(cache)} is not one of ${cacheModes.join(', ')}`,
  );
}
