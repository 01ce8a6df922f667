import type { PersistentVolumeClaim } from '../../api/types.ts';
import type { AdmissionAttributes } from './admission.ts';

/** True for a write to the object itself, not to a part of it, of this resource. */
export function isWriteTo({ request }: AdmissionAttributes, group: string, plural: string): boolean {
  const { kind, subresource } = request;
  return kind.group === group && kind.plural === plural && subresource === undefined;
}

/** The claim that is being written, or undefined for a write of anything else. */
export function writtenClaim(attributes: AdmissionAttributes): PersistentVolumeClaim | undefined {
  return isWriteTo(attributes, '', 'persistentvolumeclaims')
    ? (attributes.object as PersistentVolumeClaim | undefined)
    : undefined;
}
