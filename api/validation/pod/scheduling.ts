import { isLabelValue } from '../../names.ts';
import type { PodSchedulingGate, Toleration, TopologySpreadConstraint } from '../../types.ts';
import { checkEnum, checkQualifiedName, complaints } from '../checks.ts';
import { duplicate, invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { validateLabelKeys } from './label-keys.ts';

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Checks which taints a Pod bears. */
export function validateTolerations(tolerations: Toleration[] | undefined, path: string): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, index) => {
    const { key = '', operator = '', effect = '', tolerationSeconds } = toleration;
    const at = `${path}[${index}]`;
    return [
      ...(key === '' ? [] : checkQualifiedName(key, `${at}.key`)),
      ...(key === '' && operator !== 'Exists'
        ? [
            invalid(
              `${at}.operator`,
              operator,
              'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            ),
          ]
        : []),
      ...(tolerationSeconds !== undefined && effect !== 'NoExecute'
        ? [invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")]
        : []),
      ...checkOperator(toleration, at),
      ...(effect === '' ? [] : checkEnum(effect, `${at}.effect`, taintEffects)),
    ];
  });
}

function checkOperator({ operator = '', value = '' }: Toleration, at: string): FieldError[] {
  switch (operator) {
    case 'Equal':
    case '': {
      const wrong = isLabelValue(value);
      return wrong.length === 0 ? [] : [invalid(`${at}.operator`, value, wrong.join(';'))];
    }
    case 'Exists':
      return value === ''
        ? []
        : [invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'")];
    case 'Lt':
    case 'Gt':
      return [notSupported(`${at}.operator`, operator, ['Equal', 'Exists', 'Lt', 'Gt'])];
    default:
      return [notSupported(`${at}.operator`, operator, ['Equal', 'Exists'])];
  }
}

const whenUnsatisfiable = ['DoNotSchedule', 'ScheduleAnyway'];

/** Checks how a Pod wants to be spread. */
export function validateTopologySpread(
  constraints: TopologySpreadConstraint[] | undefined,
  path: string,
): FieldError[] {
  const list = constraints ?? [];
  return list.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const { topologyKey = '', whenUnsatisfiable: action = '' } = constraint;
    const repeated = list
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === action);
    return [
      ...checkPositive(constraint.maxSkew ?? 0, `${at}.maxSkew`),
      ...(topologyKey === '' ? [required(`${at}.topologyKey`, 'can not be empty')] : []),
      ...checkEnum(action, `${at}.whenUnsatisfiable`, whenUnsatisfiable),
      ...(repeated
        ? [duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${action}}`)]
        : []),
      ...checkMinDomains(constraint.minDomains, action, `${at}.minDomains`),
      ...checkEnum(constraint.nodeAffinityPolicy, `${at}.nodeAffinityPolicy`, ['Honor', 'Ignore']),
      ...checkEnum(constraint.nodeTaintsPolicy, `${at}.nodeTaintsPolicy`, ['Honor', 'Ignore']),
      ...validateLabelKeys(constraint, at),
      ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`),
    ];
  });
}

function checkPositive(value: number, field: string): FieldError[] {
  return value > 0 ? [] : [invalid(field, value, 'must be greater than zero')];
}

function checkMinDomains(minDomains: number | undefined, action: string, field: string): FieldError[] {
  if (minDomains === undefined) return [];
  const only = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
  return [
    ...checkPositive(minDomains, field),
    ...(action === 'DoNotSchedule' ? [] : [invalid(field, minDomains, only)]),
  ];
}

/** Checks the gates that hold a Pod back. */
export function validateSchedulingGates(gates: PodSchedulingGate[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>();
  return (gates ?? []).flatMap(({ name = '' }, index) => {
    const repeated = seen.has(name);
    seen.add(name);
    const at = `${path}[${index}]`;
    return [...checkQualifiedName(name, at), ...(repeated ? [duplicate(at, name)] : [])];
  });
}

/** One complaint for each wrong label value. */
export function checkLabelValue(value: string, field: string): FieldError[] {
  return complaints(field, value, isLabelValue(value));
}
