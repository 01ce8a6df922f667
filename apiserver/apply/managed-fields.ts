import type { ResourceRequest } from '../endpoints/context.ts';
import type { WriteOptions } from '../endpoints/write-options.ts';
import type { ApiObject } from '../registry/kind.ts';

/** Notes which manager wrote which fields. */
export function recordManager(_options: {
  request: ResourceRequest;
  object: ApiObject;
  old: ApiObject | undefined;
  options: WriteOptions;
  now: Date;
}): void {}
