import { isDeepStrictEqual } from 'node:util';
import type { PodSpec, RuntimeClass } from '../../api/types.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { createdPod, refuse } from './pod-creation.ts';

/** Adds the overhead, node selector and tolerations of a Pod's RuntimeClass (upstream: plugin/pkg/admission/runtimeclass). */
export const runtimeClass = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'RuntimeClass',
  admit(attributes) {
    const spec = createdPod(attributes)?.spec;
    if (spec === undefined) return;
    if (!spec.runtimeClassName) {
      if (spec.overhead === undefined) return;
      throw refuse(
        attributes,
        'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
      );
    }
    const chosen = stores
      .named('node.k8s.io', 'runtimeclasses')
      .peek({ namespace: '', name: spec.runtimeClassName });
    if (chosen === undefined) {
      throw refuse(
        attributes,
        `pod rejected: RuntimeClass ${JSON.stringify(spec.runtimeClassName)} not found`,
      );
    }
    applyClass(attributes, spec, chosen as unknown as RuntimeClass);
  },
});

function applyClass(
  attributes: AdmissionAttributes,
  spec: PodSpec,
  { overhead, scheduling }: RuntimeClass,
): void {
  const fixed = overhead?.podFixed;
  if (spec.overhead !== undefined && !isDeepStrictEqual(spec.overhead, fixed)) {
    throw refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  if (fixed !== undefined) spec.overhead = { ...fixed };
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const present = spec.nodeSelector?.[key];
    if (present !== undefined && present !== value) {
      const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${present}`;
      throw refuse(attributes, why);
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  const missing = (scheduling?.tolerations ?? []).filter(
    (toleration) => !spec.tolerations?.some((present) => isDeepStrictEqual(present, toleration)),
  );
  if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing];
}
