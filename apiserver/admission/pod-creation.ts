import type { Pod } from '../../api/types.ts';
import { forbiddenError } from '../http/errors.ts';
import type { AdmissionAttributes } from './admission.ts';

/** A Pod that the kubelet made for a static Pod carries this annotation. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** The Pod of a CREATE of pods (no subresource), or undefined for any other write. */
export function createdPod({ operation, request, object }: AdmissionAttributes): Pod | undefined {
  const isPod =
    request.kind.group === '' && request.kind.plural === 'pods' && request.subresource === undefined;
  return operation === 'CREATE' && isPod ? (object as unknown as Pod | undefined) : undefined;
}

export const isMirror = ({ metadata }: Pod): boolean =>
  metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;

/** 403 "pods "x" is forbidden: why". */
export function refuse({ request, object, oldObject }: AdmissionAttributes, why: string) {
  return forbiddenError(request.kind, object?.metadata.name ?? oldObject?.metadata.name ?? '', why);
}
