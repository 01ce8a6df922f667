import type { Pod, PodSpec, PodTemplateSpec } from '../../types.ts';
import { nameIsSubdomain } from '../checks.ts';
import { forbidden, invalid } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateCoreObjectMeta } from '../object-meta.ts';
import { checkImagePadding } from './containers.ts';
import { validatePodSpec } from './pod-spec.ts';
import { checkProfilesMatch, validateSecurityAnnotations } from './security-annotations.ts';

/** A Pod that the kubelet made for a static Pod carries this annotation. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Checks a new Pod. Defaults must have been applied. */
export function validatePod(pod: Pod): FieldError[] {
  const spec = specOf(pod);
  const gated = (spec.nodeName ?? '') !== '' && (spec.schedulingGates ?? []).length > 0;
  return [
    ...validatePodMetadataAndSpec(pod),
    ...((spec.ephemeralContainers ?? []).length > 0
      ? [forbidden('spec.ephemeralContainers', 'cannot be set on create')]
      : []),
    ...(gated
      ? [forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared')]
      : []),
    ...checkProfilesMatch(pod),
  ];
}

/** What holds for new and changed Pods alike. */
export function validatePodMetadataAndSpec(pod: Pod): FieldError[] {
  const spec = specOf(pod);
  return [
    ...validateCoreObjectMeta(pod, { namespaced: true, nameRule: nameIsSubdomain }),
    ...validatePodAnnotations(pod, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', { metadata: pod.metadata, isPod: true }),
    ...checkTokensHaveAccount(spec),
    ...(['containers', 'initContainers'] as const).flatMap((list) =>
      (spec[list] ?? []).flatMap((container, index) =>
        checkImagePadding(container, `spec.${list}[${index}]`),
      ),
    ),
  ];
}

export function specOf(pod: Pod): PodSpec {
  return pod.spec ?? { containers: [] };
}

const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';

/** Checks those annotations, of a Pod or of a template, that mean something to Kubernetes. */
export function validatePodAnnotations(template: PodTemplateSpec, path: string): FieldError[] {
  const { metadata, spec } = template;
  const annotations = metadata?.annotations ?? {};
  const mirror = annotations[mirrorAnnotation];
  const cost = annotations[deletionCost];
  return [
    ...(mirror !== undefined && (spec?.nodeName ?? '') === ''
      ? [
          invalid(
            `${path}[${mirrorAnnotation}]`,
            mirror,
            'must set spec.nodeName if mirror pod annotation is set',
          ),
        ]
      : []),
    ...(cost === undefined || isInt32(cost)
      ? []
      : [invalid(`${path}[${deletionCost}]`, cost, 'must be a 32bit integer')]),
    ...validateSecurityAnnotations(template, path),
  ];
}

function isInt32(text: string): boolean {
  return /^(0|-?[1-9]\d{0,9})$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;
}

function checkTokensHaveAccount(spec: PodSpec): FieldError[] {
  if ((spec.serviceAccountName ?? '') !== '') return [];
  return (spec.volumes ?? []).flatMap(({ projected }, volume) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, source) =>
      serviceAccountToken === undefined
        ? []
        : [
            forbidden(
              `spec.volumes[${volume}].projected.sources[${source}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          ],
    ),
  );
}
