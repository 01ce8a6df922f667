import type { PodTemplate, PodTemplateSpec } from '../../types.ts';
import { nameIsSubdomain } from '../checks.ts';
import { forbidden } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import {
  validateAnnotations,
  validateCoreObjectMeta,
  validateCoreObjectMetaUpdate,
  validateLabels,
} from '../object-meta.ts';
import { validatePodSpec } from './pod-spec.ts';
import { validatePodAnnotations } from './pod.ts';

/** Checks a new PodTemplate. Defaults must have been applied. */
export function validatePodTemplate(object: PodTemplate): FieldError[] {
  return [
    ...validateCoreObjectMeta(object, { namespaced: true, nameRule: nameIsSubdomain }),
    ...validatePodTemplateSpec(object.template ?? {}, 'template'),
  ];
}

/** Checks a changed PodTemplate: all of it may change. */
export function validatePodTemplateUpdate(object: PodTemplate, old: PodTemplate): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(object, old),
    ...validatePodTemplateSpec(object.template ?? {}, 'template'),
  ];
}

/** Checks what Pods are to be made of. Errors of its metadata lack the word `metadata` in their paths, as upstream's do. */
export function validatePodTemplateSpec(template: PodTemplateSpec, path: string): FieldError[] {
  const { metadata, spec = { containers: [] } } = template;
  return [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validatePodAnnotations(template, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`, { isPod: false }),
    ...((spec.ephemeralContainers ?? []).length > 0
      ? [forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')]
      : []),
  ];
}
