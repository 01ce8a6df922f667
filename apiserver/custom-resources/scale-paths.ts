import { isMap } from '../../api/custom-resources/values.ts';
import type { CustomResourceSubresourceScale } from '../../api/types.ts';
import type { FieldError } from '../../api/validation/field-error.ts';
import { invalid } from '../../api/validation/field-error.ts';

const INT32_MAX = 2 ** 31 - 1;

const stepsOf = (path: string): string[] => path.replace(/^\./, '').split('.');

/** The value at a path such as `.spec.replicas`; undefined where it isn't there. */
export function valueAt(object: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>((value, step) => (isMap(value) ? value[step] : undefined), object);
}

/** Writes a value at such a path, making the maps on the way. */
export function setValueAt(object: Record<string, unknown>, path: string, value: unknown): void {
  const steps = stepsOf(path);
  const last = steps.pop() ?? '';
  let place = object;
  for (const step of steps) {
    const below = place[step];
    place = (place[step] = isMap(below) ? below : {}) as Record<string, unknown>;
  }
  place[last] = value;
}

/** Checks what the scale subresource shows of spec (upstream: registry/customresource/validator.go). */
export const validateScaleSpec = (
  object: unknown,
  scale: CustomResourceSubresourceScale | undefined,
): FieldError[] => (scale === undefined ? [] : checkReplicas(object, scale.specReplicasPath));

/** Checks what it shows of the status. */
export const validateScaleStatus = (
  object: unknown,
  scale: CustomResourceSubresourceScale | undefined,
): FieldError[] =>
  scale === undefined
    ? []
    : [...checkReplicas(object, scale.statusReplicasPath), ...checkSelector(object, scale.labelSelectorPath)];

function checkReplicas(object: unknown, path: string): FieldError[] {
  const value = valueAt(object, path) ?? 0;
  if (typeof value !== 'number' || !Number.isInteger(value))
    return [invalid(path, 0, wrongType(path, value, 'int64'))];
  if (value < 0) return [invalid(path, value, 'should be a non-negative integer')];
  return value > INT32_MAX ? [invalid(path, value, `should be less than or equal to ${INT32_MAX}`)] : [];
}

function checkSelector(object: unknown, path: string | undefined): FieldError[] {
  const value = path === undefined ? undefined : valueAt(object, path);
  if (path === undefined || value === undefined || typeof value === 'string') return [];
  return [invalid(path, '', wrongType(path, value, 'string'))];
}

/** Upstream: apimachinery unstructured.NestedInt64 and NestedString. */
const wrongType = (path: string, value: unknown, expected: string): string =>
  `.${stepsOf(path).join('.')} accessor error: ${JSON.stringify(value)} is of the type ${goTypeOf(value)}, expected ${expected}`;

function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : 'string';
}
