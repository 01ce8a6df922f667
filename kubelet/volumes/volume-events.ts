import type { PersistentVolumeClaim, Pod } from '../../api/types.ts';

/** Events that are no failure of a mount, which its worker tells. */
export interface VolumeEvents {
  pod(pod: Pod, event: ObjectEvent): void;
  claim(claim: PersistentVolumeClaim, event: ObjectEvent): void;
}

export interface ObjectEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}
