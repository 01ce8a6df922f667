import type { RuntimeClass, Toleration } from '../types.ts';
import { complaints, nameIsLabel, nameIsSubdomain } from './checks.ts';
import { duplicate } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import {
  checkImmutable,
  validateCoreObjectMeta,
  validateCoreObjectMetaUpdate,
  validateLabels,
} from './object-meta.ts';
import { validateTolerations } from './pod/scheduling.ts';
import { validateContainerResources } from './resources.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Source: Kubernetes pkg/apis/node/validation/validation.go. */
export function validateRuntimeClass(runtimeClass: RuntimeClass): FieldError[] {
  return [
    ...validateCoreObjectMeta(runtimeClass, { namespaced: false, nameRule: nameIsSubdomain }),
    ...validateFields(runtimeClass),
  ];
}

export function validateRuntimeClassUpdate(runtimeClass: RuntimeClass, old: RuntimeClass): FieldError[] {
  return [
    ...validateFields(runtimeClass),
    ...validateCoreObjectMetaUpdate(runtimeClass, old),
    ...checkImmutable(runtimeClass.handler, old.handler, 'handler'),
  ];
}

function validateFields({ handler = '', overhead, scheduling }: RuntimeClass): FieldError[] {
  return [
    ...complaints('handler', handler, nameIsLabel(handler)),
    ...(overhead?.podFixed === undefined
      ? []
      : validateContainerResources({ limits: overhead.podFixed }, 'overhead')),
    ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...checkTolerations(scheduling?.tolerations ?? [], 'scheduling.tolerations'),
  ];
}

function checkTolerations(tolerations: Toleration[], path: string): FieldError[] {
  return [
    ...validateTolerations(tolerations, path),
    ...tolerations.flatMap((toleration, index) =>
      tolerations.slice(0, index).some((earlier) => semanticEqual(earlier, toleration))
        ? [duplicate(`${path}[${index}]`, withGoNames(toleration))]
        : [],
    ),
  ];
}

/** As the internal type of upstream is written. */
const withGoNames = ({
  key = '',
  operator = '',
  value = '',
  effect = '',
  tolerationSeconds,
}: Toleration) => ({
  Key: key,
  Operator: operator,
  Value: value,
  Effect: effect,
  TolerationSeconds: tolerationSeconds ?? null,
});
