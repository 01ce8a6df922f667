import type { PriorityClass } from '../../api/types.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { createdPod, refuse } from './pod-creation.ts';

/** Turns a Pod's priorityClassName into its priority and preemption policy (upstream: plugin/pkg/admission/priority). */
export const priority = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'Priority',
  admit(attributes) {
    const pod = createdPod(attributes);
    if (pod?.spec === undefined) return;
    const { spec } = pod;
    const chosen = spec.priorityClassName
      ? named(stores, attributes, spec.priorityClassName)
      : defaultClass(stores);
    const value = chosen?.value ?? 0;
    const policy = chosen?.preemptionPolicy ?? 'PreemptLowerPriority';
    if (spec.priority !== undefined && spec.priority !== value) {
      const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
      throw refuse(attributes, why);
    }
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
      const why = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
      throw refuse(attributes, why);
    }
    const name = spec.priorityClassName || chosen?.metadata?.name;
    Object.assign(
      spec,
      { priority: value, preemptionPolicy: policy },
      name ? { priorityClassName: name } : {},
    );
  },
  validate(attributes) {
    const { operation, request, object } = attributes;
    if (
      request.kind.plural !== 'priorityclasses' ||
      operation === 'DELETE' ||
      object?.['globalDefault'] !== true
    )
      return;
    const present = defaultClass(stores);
    if (present === undefined || present.metadata?.name === object.metadata.name) return;
    const why = `PriorityClass ${present.metadata?.name ?? ''} is already marked as default. Only one default can exist`;
    throw refuse(attributes, why);
  },
});

function named(stores: Stores, attributes: AdmissionAttributes, name: string): PriorityClass {
  const found = stores.named('scheduling.k8s.io', 'priorityclasses').peek({ namespace: '', name });
  if (found === undefined) throw refuse(attributes, `no PriorityClass with name ${name} was found`);
  return found as unknown as PriorityClass;
}

function defaultClass(stores: Stores): PriorityClass | undefined {
  for (const { object } of stores.named('scheduling.k8s.io', 'priorityclasses').cache.values()) {
    const candidate = object as unknown as PriorityClass;
    if (candidate.globalDefault === true) return candidate;
  }
  return undefined;
}
