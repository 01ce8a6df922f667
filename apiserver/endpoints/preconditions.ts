import type { DeleteOptions } from '../../api/types.ts';
import { conflictError } from '../http/errors.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import type { ObjectPlace } from '../storage/object-store.ts';
import type { ServerParts } from './context.ts';

/** As which object, and in which state, a client knows what it writes to. */
interface Identity {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
}

const PARTS = [
  { field: 'uid', what: 'UID', changed: 'deleted and then recreated' },
  { field: 'resourceVersion', what: 'ResourceVersion', changed: 'modified' },
] as const;

const precondition = (what: string, asked: string, actual: string): string =>
  `Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${actual}`;

/**
 * What a client writes must be for the object that is there; an absent one has neither uid nor revision. Throws 409 in the words of
 * upstream's storage (apiserver storage Preconditions.Check).
 */
export function checkIdentity(options: {
  server: Pick<ServerParts, 'stores'>;
  kind: Kind;
  place: ObjectPlace;
  asked: Identity;
  actual: Identity;
}): void {
  const { server, kind, place, asked, actual } = options;
  for (const { field, what } of PARTS) {
    const [wanted = '', present = ''] = [asked[field], actual[field]];
    if (wanted === '' || wanted === present) continue;
    const key = server.stores.of(kind).keyOf(place);
    const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${precondition(what, wanted, present)}`;
    throw conflictError(kind, place.name, why);
  }
}

/** What a deletion asks for must be there. Throws 409, which names the kind (upstream: registry/rest BeforeDelete). */
export function checkPreconditions(
  kind: Kind,
  { metadata }: ApiObject,
  { preconditions = {} }: DeleteOptions,
): void {
  for (const { field, what, changed } of PARTS) {
    const [wanted, present = '', name = ''] = [preconditions[field], metadata[field], metadata.name];
    if (wanted === undefined || wanted === present) continue;
    // Kinds with a deletion of their own look at it by themselves.
    if (kind.strategy.beginDeletion !== undefined)
      throw conflictError(kind, name, precondition(what, wanted, present));
    const why = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${present}). The object might have been ${changed}`;
    throw conflictError({ ...kind, plural: kind.kind }, name, why);
  }
}
