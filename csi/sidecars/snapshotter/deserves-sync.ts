import { isDeepStrictEqual } from 'node:util';
import type { ApiObject } from '../../../client/objects.ts';
import { annotations, isDeleting } from '../../snapshots/names.ts';

type Content = ApiObject & { status?: { readyToUse?: boolean } };

const written: ReadonlySet<string> = new Set([annotations.beingCreated, annotations.groupBeingCreated]);

/**
 * Whether a change of a content is more than what the sidecar wrote itself: its own writes would call the driver again at once,
 * past all back-off (external-snapshotter ShouldEnqueueContentChange). A content that goes away, and one that got ready, always is.
 */
export const deservesSync = (now: Content, before: Content): boolean =>
  isDeleting(now) ||
  (now.status?.readyToUse === true && before.status?.readyToUse !== true) ||
  !isDeepStrictEqual(essence(now), essence(before));

const essence = ({ status: _status, metadata = {}, ...rest }: Content) => {
  const { resourceVersion: _version, managedFields: _fields, finalizers: _finalizers, ...kept } = metadata;
  const others = Object.entries(metadata.annotations ?? {}).filter(([name]) => !written.has(name));
  return { ...rest, metadata: { ...kept, annotations: Object.fromEntries(others) } };
};
