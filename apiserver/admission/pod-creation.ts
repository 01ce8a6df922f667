import type { Pod } from '../../api/types.ts';
import { mirrorAnnotation } from '../../api/validation/pod/pod.ts';
import { forbiddenError } from '../http/errors.ts';
import type { AdmissionAttributes } from './admission.ts';

/** The Pod of a CREATE of pods (no subresource), or undefined for any other write. */
export function createdPod({ operation, request, object }: AdmissionAttributes): Pod | undefined {
  const isPod =
    request.kind.group === '' && request.kind.plural === 'pods' && request.subresource === undefined;
  return operation === 'CREATE' && isPod ? (object as unknown as Pod | undefined) : undefined;
}

/** Whether the kubelet made this Pod, for a static one. */
export const isMirror = ({ metadata }: Pod): boolean =>
  metadata?.annotations?.[mirrorAnnotation] !== undefined;

/** 403 "pods "x" is forbidden: why". */
export function refuse({ request, object, oldObject }: AdmissionAttributes, why: string) {
  return forbiddenError(request.kind, object?.metadata.name ?? oldObject?.metadata.name ?? '', why);
}
