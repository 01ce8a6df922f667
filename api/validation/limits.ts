import { isDeepStrictEqual } from 'node:util';
import { isQualifiedName } from '../names.ts';
import { canonicalQuantity, compareQuantities, quantityMilliValue } from '../quantity.ts';
import type { LimitRange, LimitRangeItem, ResourceQuota } from '../types.ts';
import { complaints, nameIsSubdomain } from './checks.ts';
import { duplicate, forbidden, invalid, required } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { validateCoreObjectMeta, validateCoreObjectMetaUpdate } from './object-meta.ts';
import {
  checkContainerResourceName,
  checkQuotaResourceName,
  checkResourceName,
  checkResourceQuantity,
  mayOvercommit,
} from './resources.ts';

type Amounts = Record<string, string>;

export function validateLimitRange(range: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return [
    ...validateCoreObjectMeta(range, { namespaced: true, nameRule: nameIsSubdomain }),
    ...(range.spec?.limits ?? []).flatMap((item, index) => {
      const at = `spec.limits[${index}]`;
      const repeated = seen.has(item.type);
      seen.add(item.type);
      return [
        ...checkType(item.type, `${at}.type`),
        ...(repeated ? [duplicate(`${at}.type`, item.type)] : []),
        ...validateItem(item, at),
      ];
    }),
  ];
}

function checkType(type: string, field: string): FieldError[] {
  const wrong = complaints(field, type, isQualifiedName(type));
  if (wrong.length > 0 || type.includes('/') || ['Pod', 'Container', 'PersistentVolumeClaim'].includes(type))
    return wrong;
  return [invalid(field, type, 'must be a standard limit type or fully qualified')];
}

const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

function validateItem(item: LimitRangeItem, at: string): FieldError[] {
  const isPod = item.type === 'Pod';
  const checkName = isPod || item.type === 'Container' ? checkContainerResourceName : checkResourceName;
  const noStorage = item.max?.['storage'] === undefined && item.min?.['storage'] === undefined;
  const names = new Set(lists.flatMap((list) => Object.keys(item[list] ?? {})));
  return [
    ...lists.flatMap((list) => {
      const amounts = item[list] ?? {};
      const isDefault = list === 'default' || list === 'defaultRequest';
      if (isPod && isDefault)
        return Object.keys(amounts).length === 0
          ? []
          : [forbidden(`${at}.${list}`, "may not be specified when `type` is 'Pod'")];
      return Object.keys(amounts).flatMap((name) => checkName(name, `${at}.${list}[${name}]`));
    }),
    ...(item.type === 'PersistentVolumeClaim' && noStorage
      ? [
          required(
            `${at}.limits`,
            'either minimum or maximum storage value is required, but neither was provided',
          ),
        ]
      : []),
    ...[...names].flatMap((name) => compareAmounts(item, name, at)),
  ];
}

interface Comparison {
  low: (typeof lists)[number];
  high: (typeof lists)[number];
  words: [low: string, high: string];
  /** The list and the amount that the error shows. */
  field: (typeof lists)[number];
  shown: 'low' | 'high';
}

const comparisons: Comparison[] = [
  { low: 'min', high: 'max', words: ['min value', 'max value'], field: 'min', shown: 'low' },
  {
    low: 'min',
    high: 'defaultRequest',
    words: ['min value', 'default request value'],
    field: 'defaultRequest',
    shown: 'high',
  },
  {
    low: 'defaultRequest',
    high: 'max',
    words: ['default request value', 'max value'],
    field: 'defaultRequest',
    shown: 'low',
  },
  {
    low: 'defaultRequest',
    high: 'default',
    words: ['default request value', 'default limit value'],
    field: 'defaultRequest',
    shown: 'low',
  },
  { low: 'min', high: 'default', words: ['min value', 'default value'], field: 'default', shown: 'low' },
  { low: 'default', high: 'max', words: ['default value', 'max value'], field: 'default', shown: 'high' },
];

function compareAmounts(item: LimitRangeItem, name: string, at: string): FieldError[] {
  const errors = comparisons.flatMap(({ low, high, words, field, shown }) => {
    const [smaller, larger] = [item[low]?.[name], item[high]?.[name]];
    if (smaller === undefined || larger === undefined || compareQuantities(smaller, larger) <= 0) return [];
    const [a, b] = [canonicalQuantity(smaller), canonicalQuantity(larger)];
    const detail = `${words[0]} ${a} is greater than ${words[1]} ${b}`;
    return [invalid(`${at}.${field}[${name}]`, shown === 'low' ? a : b, detail)];
  });
  return [...errors, ...checkRatio(item, name, at), ...checkFixed(item, name, at)];
}

function checkRatio(item: LimitRangeItem, name: string, at: string): FieldError[] {
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return [];
  const field = `${at}.maxLimitRequestRatio[${name}]`;
  const [min, max] = [item.min?.[name], item.max?.[name]];
  const limit =
    min === undefined || max === undefined ? Infinity : quantityMilliValue(max) / quantityMilliValue(min);
  const shown = canonicalQuantity(ratio);
  return [
    ...(compareQuantities(ratio, '1') < 0 ? [invalid(field, shown, `ratio ${shown} is less than 1`)] : []),
    ...(quantityMilliValue(ratio) / 1000 > limit
      ? [invalid(field, shown, `ratio ${shown} is greater than max/min = ${limit.toFixed(6)}`)]
      : []),
  ];
}

/** Of what is given whole, request and limit are the same. */
function checkFixed(
  { default: limits, defaultRequest }: LimitRangeItem,
  name: string,
  at: string,
): FieldError[] {
  const [limit, request] = [limits?.[name], defaultRequest?.[name]];
  if (
    mayOvercommit(name) ||
    limit === undefined ||
    request === undefined ||
    compareQuantities(limit, request) === 0
  )
    return [];
  const [a, b] = [canonicalQuantity(limit), canonicalQuantity(request)];
  const detail = `default value ${a} must equal to defaultRequest value ${b} in ${name}`;
  return [invalid(`${at}.defaultRequest[${name}]`, b, detail)];
}

export function validateResourceQuota(quota: ResourceQuota): FieldError[] {
  return [
    ...validateCoreObjectMeta(quota, { namespaced: true, nameRule: nameIsSubdomain }),
    ...validateQuotaSpec(quota),
    ...validateQuotaStatus(quota),
  ];
}

export function validateResourceQuotaUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  const scopes = quota.spec?.scopes ?? [];
  const same = isDeepStrictEqual(new Set(scopes), new Set(old.spec?.scopes ?? []));
  return [
    ...validateCoreObjectMetaUpdate(quota, old),
    ...validateQuotaSpec(quota),
    ...(same ? [] : [invalid('spec.scopes', scopes, 'field is immutable')]),
  ];
}

/** Checks a write to resourcequotas/status. */
export function validateResourceQuotaStatusUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  return [...validateCoreObjectMetaUpdate(quota, old), ...validateQuotaStatus(quota)];
}

const scopeNames = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const exclusive: [string, string][] = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];

function validateQuotaSpec({ spec }: ResourceQuota): FieldError[] {
  const scopes = spec?.scopes ?? [];
  const conflicts = exclusive.filter((pair) => pair.every((scope) => scopes.includes(scope)));
  return [
    ...checkAmounts(spec?.hard, 'spec.hard'),
    ...scopes
      .filter((scope) => !scopeNames.includes(scope))
      .map(() => invalid('spec.scopes', scopes, 'unsupported scope')),
    ...conflicts.map(() => invalid('spec.scopes', scopes, 'conflicting scopes')),
  ];
}

function validateQuotaStatus({ status }: ResourceQuota): FieldError[] {
  return [...checkAmounts(status?.hard, 'status.hard'), ...checkAmounts(status?.used, 'status.used')];
}

function checkAmounts(amounts: Amounts | undefined, path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => [
    ...checkQuotaResourceName(name, `${path}[${name}]`),
    ...checkResourceQuantity(name, amount, `${path}[${name}]`),
  ]);
}
