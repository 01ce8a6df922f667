import { isDeepStrictEqual } from 'node:util';
import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../../types.ts';
import { forbidden, invalid, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateCoreObjectMetaUpdate } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { jsonDiff } from '../unified-diff.ts';
import { checkImagePadding } from './containers.ts';
import { mirrorAnnotation, specOf, validatePodMetadataAndSpec } from './pod.ts';
import { validateTolerations } from './scheduling.ts';
import { appArmorAnnotation } from './security-annotations.ts';

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

/** Checks a changed Pod: of its spec hardly anything may change. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const [spec, oldSpec] = [specOf(pod), specOf(old)];
  const basics = validateBasics(pod, old);
  const containers = (['containers', 'initContainers'] as const).map((list) =>
    checkContainers(spec, oldSpec, list),
  );
  const added = containers.find(({ stop }) => stop);
  if (added !== undefined) return [...basics, ...added.errors];
  const errors = [...basics, ...containers.flatMap((each) => each.errors)];
  const deadline = checkDeadline(spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds);
  if (deadline.stop) return [...errors, ...deadline.errors];
  return [
    ...errors,
    ...deadline.errors,
    ...checkTolerations(spec.tolerations ?? [], oldSpec.tolerations ?? []),
    ...checkGates(spec, oldSpec),
    ...(semanticEqual(spec, oldSpec) ? [] : checkRest(spec, oldSpec)),
  ];
}

/** Metadata, the whole of the new spec, and annotations that are the kubelet's. */
export function validateBasics(pod: Pod, old: Pod): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(pod, old),
    ...validatePodMetadataAndSpec(pod),
    ...checkAnnotations(pod, old),
  ];
}

/** Nobody makes a Pod a mirror, or no mirror, afterwards, nor changes what it says of AppArmor. */
export function checkAnnotations(pod: Pod, old: Pod): FieldError[] {
  const [now, before] = [pod.metadata?.annotations ?? {}, old.metadata?.annotations ?? {}];
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) => {
    const what =
      key === mirrorAnnotation
        ? 'mirror pod annotation'
        : key.startsWith(appArmorAnnotation)
          ? 'AppArmor annotations'
          : undefined;
    if (what === undefined || now[key] === before[key]) return [];
    const verb = before[key] === undefined ? 'add' : 'remove or update';
    return [forbidden(`metadata.annotations[${key}]`, `may not ${verb} ${what}`)];
  });
}

function checkContainers(spec: PodSpec, old: PodSpec, list: 'containers' | 'initContainers') {
  const path = `spec.${list}`;
  const containers = spec[list] ?? [];
  if (containers.length !== (old[list] ?? []).length)
    return { stop: true, errors: [forbidden(path, 'pod updates may not add or remove containers')] };
  const errors = containers.flatMap((container, index) => [
    ...((container.image ?? '') === '' ? [required(`${path}[${index}].image`)] : []),
    ...checkImagePadding(container, `${path}[${index}]`),
  ]);
  return { stop: false, errors };
}

/** A deadline may be set and brought nearer, no more. */
function checkDeadline(seconds: number | undefined, old: number | undefined) {
  const field = 'spec.activeDeadlineSeconds';
  if (seconds === undefined) {
    const removed = [invalid(field, null, 'must not update from a positive integer to nil value')];
    return { stop: false, errors: old === undefined ? [] : removed };
  }
  if (seconds < 0 || seconds > 2147483647)
    return { stop: true, errors: [invalid(field, seconds, 'must be between 0 and 2147483647, inclusive')] };
  if (old !== undefined && old < seconds)
    return { stop: true, errors: [invalid(field, seconds, 'must be less than or equal to previous value')] };
  return { stop: false, errors: [] };
}

function checkTolerations(tolerations: Toleration[], old: Toleration[]): FieldError[] {
  const withoutSeconds = (toleration: Toleration) => {
    const { tolerationSeconds: _, ...rest } = toleration;
    return rest;
  };
  const present = tolerations.map(withoutSeconds);
  const isKept = (toleration: Toleration) =>
    present.some((each) => isDeepStrictEqual(each, withoutSeconds(toleration)));
  if (!old.every(isKept))
    return [
      forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    ];
  return validateTolerations(tolerations, 'spec.tolerations');
}

function checkGates({ schedulingGates = [] }: PodSpec, { schedulingGates: old = [] }: PodSpec): FieldError[] {
  return schedulingGates.flatMap(({ name }, index) =>
    old.some((gate) => gate.name === name)
      ? []
      : [
          forbidden(
            `spec.schedulingGates[${index}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  );
}

/** All that may change is put back; what differs then may not change. */
function checkRest(spec: PodSpec, old: PodSpec): FieldError[] {
  const restored = restoreUpdatable(spec, old);
  const errors = (old.schedulingGates ?? []).length > 0 ? restoreGated(restored, old) : [];
  if (semanticEqual(restored, old)) return errors;
  const message = `pod updates may not change fields other than ${updatable.join(',')}\n${jsonDiff(old, restored)}`;
  return [...errors, forbidden('spec', message)];
}

function restoreUpdatable(spec: PodSpec, old: PodSpec): PodSpec {
  const { activeDeadlineSeconds: _, schedulingGates: __, tolerations: ___, ...rest } = spec;
  const { activeDeadlineSeconds, schedulingGates, tolerations } = old;
  const grace = old.terminationGracePeriodSeconds ?? 0;
  return {
    ...rest,
    containers: restoreImages(spec.containers, old.containers),
    ...(spec.initContainers !== undefined && {
      initContainers: restoreImages(spec.initContainers, old.initContainers ?? []),
    }),
    ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
    ...(schedulingGates !== undefined && { schedulingGates }),
    ...(tolerations !== undefined && { tolerations }),
    ...(grace < 0 && spec.terminationGracePeriodSeconds === 1 && { terminationGracePeriodSeconds: grace }),
  };
}

function restoreImages(containers: Container[], old: Container[]): Container[] {
  return containers.map((container, index) => {
    const image = old[index]?.image;
    return image === undefined ? container : { ...container, image };
  });
}

/** A Pod that waits behind a gate may be narrowed to fewer nodes. */
function restoreGated(spec: PodSpec, old: PodSpec): FieldError[] {
  const errors = [
    ...checkNodeSelector(spec, old),
    ...checkNodeAffinity(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity),
  ];
  const { nodeAffinity: _, ...others } = spec.affinity ?? {};
  const nodeAffinity = old.affinity?.nodeAffinity;
  const affinity = { ...others, ...(nodeAffinity !== undefined && { nodeAffinity }) };
  if (Object.keys(affinity).length > 0) spec.affinity = affinity;
  else delete spec.affinity;
  if (old.nodeSelector === undefined) delete spec.nodeSelector;
  else spec.nodeSelector = old.nodeSelector;
  return errors;
}

function checkNodeSelector(
  { nodeSelector = {} }: PodSpec,
  { nodeSelector: old = {} }: PodSpec,
): FieldError[] {
  if (Object.entries(old).every(([key, value]) => nodeSelector[key] === value)) return [];
  const message = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
  return [invalid('spec.nodeSelector', nodeSelector, message)];
}

function checkNodeAffinity(affinity: NodeAffinity | undefined, old: NodeAffinity | undefined): FieldError[] {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const termsOf = (each: NodeAffinity | undefined) =>
    each?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const [terms, oldTerms] = [termsOf(affinity), termsOf(old)];
  if (oldTerms.length > 0 && oldTerms.length !== terms.length)
    return [invalid(path, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')];
  return oldTerms.flatMap((oldTerm, index) => {
    const term = terms[index] ?? {};
    return onlyAdds(term, oldTerm)
      ? []
      : [invalid(`${path}[${index}]`, term, 'only additions are allowed (no mutations or deletions)')];
  });
}

function onlyAdds(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  const { matchExpressions: oldExpressions = [], matchFields: oldFields = [] } = old;
  if (oldExpressions.length + oldFields.length === 0)
    return matchExpressions.length + matchFields.length === 0;
  return (
    isDeepStrictEqual(matchExpressions.slice(0, oldExpressions.length), oldExpressions) &&
    isDeepStrictEqual(matchFields.slice(0, oldFields.length), oldFields)
  );
}
