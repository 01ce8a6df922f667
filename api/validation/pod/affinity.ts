import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '../../types.ts';
import { checkQualifiedName, complaints, nameIsLabel, nameIsSubdomain } from '../checks.ts';
import { forbidden, invalid, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { validateLabelKeys } from './label-keys.ts';
import { checkLabelValue } from './scheduling.ts';

const requiredRules = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredRules = 'preferredDuringSchedulingIgnoredDuringExecution';

/** Checks where a Pod wants to be. */
export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  return [
    ...validateNodeAffinity(affinity?.nodeAffinity, `${path}.nodeAffinity`),
    ...validatePodAffinity(affinity?.podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(affinity?.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

function validateNodeAffinity(affinity: NodeAffinity | undefined, path: string): FieldError[] {
  const selector = affinity?.[requiredRules];
  return [
    ...(selector === undefined ? [] : validateNodeSelector(selector, `${path}.${requiredRules}`)),
    ...(affinity?.[preferredRules] ?? []).flatMap(({ weight, preference }, index) => {
      const at = `${path}.${preferredRules}[${index}]`;
      return [
        ...checkWeight(weight, at),
        ...validateTerm(preference ?? {}, `${at}.preference`, { anyValues: true }),
      ];
    }),
  ];
}

/** Checks a selector of nodes, of a Pod or of a volume. */
export function validateNodeSelector({ nodeSelectorTerms }: NodeSelector, path: string): FieldError[] {
  const terms = nodeSelectorTerms ?? [];
  if (terms.length === 0)
    return [required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term')];
  return terms.flatMap((term, index) =>
    validateTerm(term, `${path}.nodeSelectorTerms[${index}]`, { anyValues: false }),
  );
}

function validateTerm(term: NodeSelectorTerm, path: string, options: { anyValues: boolean }): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, index) =>
      validateExpression(requirement, `${path}.matchExpressions[${index}]`, options),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, index) =>
      validateField(requirement, `${path}.matchFields[${index}]`),
    ),
  ];
}

function validateExpression(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  { anyValues }: { anyValues: boolean },
): FieldError[] {
  return [
    ...checkValueCount(operator, values, path),
    ...checkQualifiedName(key ?? '', `${path}.key`),
    ...(anyValues
      ? []
      : values.flatMap((value, index) => checkLabelValue(value, `${path}.values[${index}]`))),
  ];
}

function checkValueCount(operator: string, values: string[], path: string): FieldError[] {
  const field = `${path}.values`;
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : [required(field, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [forbidden(field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    case 'Gt':
    case 'Lt':
      return values.length === 1
        ? []
        : [required(field, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
    default:
      return [invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator')];
  }
}

function validateField({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const single = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
  const isKnown = ['In', 'NotIn'].includes(operator);
  return [
    ...(isKnown ? [] : [invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator')]),
    ...(isKnown && values.length !== 1 ? [required(`${path}.values`, single)] : []),
    ...(key === 'metadata.name'
      ? values.flatMap((value, index) =>
          complaints(`${path}.values[${index}]`, value, nameIsSubdomain(value)),
        )
      : [invalid(`${path}.key`, key ?? '', 'not a valid field selector key')]),
  ];
}

function validatePodAffinity(affinity: PodAffinity | undefined, path: string): FieldError[] {
  return [
    ...(affinity?.[requiredRules] ?? []).flatMap((term, index) =>
      validatePodTerm(term, `${path}.${requiredRules}[${index}]`),
    ),
    ...(affinity?.[preferredRules] ?? []).flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${path}.${preferredRules}[${index}]`;
      return [...checkWeight(weight, at), ...validatePodTerm(podAffinityTerm ?? {}, `${at}.podAffinityTerm`)];
    }),
  ];
}

function validatePodTerm(term: Partial<PodAffinityTerm>, path: string): FieldError[] {
  const { topologyKey = '', labelSelector, namespaceSelector, namespaces = [] } = term;
  return [
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...namespaces.flatMap((name) => complaints(`${path}.namespace`, name, nameIsLabel(name))),
    ...validateLabelKeys(term, path),
    ...(topologyKey === '' ? [required(`${path}.topologyKey`, 'can not be empty')] : []),
    ...checkQualifiedName(topologyKey, `${path}.topologyKey`),
  ];
}

function checkWeight(weight: number | undefined, path: string): FieldError[] {
  const value = weight ?? 0;
  return value > 0 && value <= 100 ? [] : [invalid(`${path}.weight`, value, 'must be in the range 1-100')];
}
