import type { Logger } from 'pino';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { keyOf } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import type { Lister } from '../../client/store.ts';
import type { Announce } from './announcements.ts';
import type { NewestObjects } from './newest-objects.ts';
import type { Operations } from './operations.ts';

/** What the parts of the controller share. */
export interface Binder {
  client: Client;
  clock: Clock;
  log: Logger;
  recorder: EventRecorder;
  announce: Announce;
  claims: NewestObjects<PersistentVolumeClaim>;
  volumes: NewestObjects<PersistentVolume>;
  classes: Lister<StorageClass>;
  /** With the index podsByClaim. */
  pods: Lister<Pod>;
  /** By name, the volumes that a claim is being bound to just now: no other claim may take them. */
  taken: Map<string, Taken>;
  /** What goes on in the background: recycling. */
  operations: Operations;
  queueClaim: (key: string) => void;
  queueVolume: (name: string) => void;
}

export interface Taken {
  /** The key of the claim that takes the volume. */
  by: string;
  /** The keys of the claims that would have taken it: they may, should the binding fail. */
  passedOver: Set<string>;
}

/** Index of volumes by the key of the claim that their claimRef names. */
export const volumesByClaim = 'claim';
/** Index of claims by the volume that they name. */
export const claimsByVolume = 'volume';
/** Index of claims that name no volume by their class, '' for none. */
export const unboundByClass = 'unbound-class';

/** The key of the claim that a volume's claimRef names; undefined without claimRef. */
export const claimKeyOf = ({ spec }: PersistentVolume): string | undefined => {
  if (spec?.claimRef === undefined) return undefined;
  const { name, namespace } = spec.claimRef;
  return keyOf({
    metadata: { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) },
  });
};

/** A volume's or claim's name. */
export const nameOf = ({ metadata }: PersistentVolume | PersistentVolumeClaim): string =>
  metadata?.name ?? '';

/** Whether an annotation is there, whatever it says. */
export const hasAnnotation = ({ metadata }: PersistentVolume | PersistentVolumeClaim, key: string): boolean =>
  metadata?.annotations?.[key] !== undefined;

/** The volume that a claim names, '' for none. */
export const volumeNameOf = ({ spec }: PersistentVolumeClaim): string => spec?.volumeName ?? '';
