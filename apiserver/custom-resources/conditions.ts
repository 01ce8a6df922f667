import { isDeepStrictEqual } from 'node:util';
import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '../../api/types.ts';
import { timestamp } from '../endpoints/timestamp.ts';

/** The finalizer that a definition has while its objects are removed. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** A condition as its finder states it; the time of its last change is kept by `setCondition`. */
export interface Finding {
  type: 'NamesAccepted' | 'Established' | 'Terminating' | 'KubernetesAPIApprovalPolicyConformant';
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

const conditionOf = (
  { status }: CustomResourceDefinition,
  type: Finding['type'],
): CustomResourceDefinitionCondition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

export const isConditionTrue = (definition: CustomResourceDefinition, type: Finding['type']): boolean =>
  conditionOf(definition, type)?.status === 'True';

/** True when the definition already says so. */
export function hasFinding(definition: CustomResourceDefinition, finding: Finding): boolean {
  const { type, status, reason, message } = conditionOf(definition, finding.type) ?? {};
  return isDeepStrictEqual({ type, status, reason, message }, finding);
}

/** Writes a condition into the status in place; its time changes only with its status (upstream: apihelpers SetCRDCondition). */
export function setCondition(definition: CustomResourceDefinition, finding: Finding, now: Date): void {
  const previous = conditionOf(definition, finding.type);
  const isSame = previous?.status === finding.status && previous.lastTransitionTime !== undefined;
  const condition: CustomResourceDefinitionCondition = {
    lastTransitionTime: isSame ? (previous.lastTransitionTime ?? '') : timestamp(now),
    ...finding,
  };
  const conditions = definition.status?.conditions ?? [];
  definition.status = {
    ...definition.status,
    conditions:
      previous === undefined
        ? [...conditions, condition]
        : conditions.map((other) => (other === previous ? condition : other)),
  };
}
