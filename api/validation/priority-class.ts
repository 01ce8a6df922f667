import type { PriorityClass } from '../types.ts';
import { checkEnum, nameIsSubdomain } from './checks.ts';
import { forbidden } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { checkImmutable, validateCoreObjectMeta, validateCoreObjectMetaUpdate } from './object-meta.ts';

const highestUserPriority = 1_000_000_000;
const systemClasses: Record<string, number> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

/** Source: Kubernetes pkg/apis/scheduling/validation/validation.go. */
export function validatePriorityClass(priorityClass: PriorityClass): FieldError[] {
  return [
    ...validateCoreObjectMeta(priorityClass, { namespaced: false, nameRule: nameIsSubdomain }),
    ...checkValue(priorityClass),
    ...checkEnum(priorityClass.preemptionPolicy, 'preemptionPolicy', ['PreemptLowerPriority', 'Never']),
  ];
}

function checkValue({ metadata, value = 0, globalDefault }: PriorityClass): FieldError[] {
  const name = metadata?.name ?? '';
  if (!name.startsWith('system-'))
    return value <= highestUserPriority
      ? []
      : [forbidden('value', `maximum allowed value of a user defined priority is ${highestUserPriority}`)];
  const wrong = systemError(name, value, globalDefault === true);
  const reserved = `priority class names with 'system-' prefix are reserved for system use only. error: ${wrong}`;
  return wrong === undefined ? [] : [forbidden('metadata.name', reserved)];
}

function systemError(name: string, value: number, isDefault: boolean): string | undefined {
  const expected = systemClasses[name];
  if (expected === undefined) return `${name} is not a known system priority class`;
  if (value !== expected) return `value of ${name} PriorityClass must be ${expected}`;
  return isDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export function validatePriorityClassUpdate(priorityClass: PriorityClass, old: PriorityClass): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(priorityClass, old),
    ...(priorityClass.value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...checkImmutable(priorityClass.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy'),
  ];
}
