import type { Lease } from '../types.ts';
import { checkEnum, nameIsSubdomain } from './checks.ts';
import { forbidden, invalid } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

/** Source: Kubernetes pkg/apis/coordination/validation/validation.go. */
export function validateLease(lease: Lease): FieldError[] {
  return [
    ...validateObjectMeta(lease, { namespaced: true, nameRule: nameIsSubdomain }),
    ...validateSpec(lease),
  ];
}

export function validateLeaseUpdate(lease: Lease, old: Lease): FieldError[] {
  return [...validateObjectMetaUpdate(lease, old), ...validateSpec(lease)];
}

function validateSpec({ spec = {} }: Lease): FieldError[] {
  const {
    leaseDurationSeconds: duration,
    leaseTransitions: transitions,
    strategy,
    preferredHolder = '',
  } = spec;
  return [
    ...(duration !== undefined && duration <= 0
      ? [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')]
      : []),
    ...(transitions !== undefined && transitions < 0
      ? [invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]
      : []),
    ...(strategy?.includes('/') === true
      ? []
      : checkEnum(strategy, 'spec.strategy.strategy', ['OldestEmulationVersion'])),
    ...(preferredHolder !== '' && (strategy ?? '') === ''
      ? [forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined')]
      : []),
  ];
}
