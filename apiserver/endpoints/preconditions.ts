import { conflictError } from '../http/errors.ts';
import type { Kind } from '../registry/kind.ts';
import type { ObjectPlace } from '../storage/object-store.ts';
import type { ServerParts } from './context.ts';

/**
 * The uid in what a client writes must be that of the object it writes to; there is none to be had where none is. Throws 409 in the
 * words of upstream's storage (apiserver storage Preconditions.Check).
 */
export function checkUid(options: {
  server: Pick<ServerParts, 'stores'>;
  kind: Kind;
  place: ObjectPlace;
  asked: string | undefined;
  actual: string | undefined;
}): void {
  const { server, kind, place, asked, actual = '' } = options;
  if (!asked || asked === actual) return;
  const key = server.stores.of(kind).keyOf(place);
  const why = `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${actual}`;
  throw conflictError(
    kind,
    place.name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  );
}
