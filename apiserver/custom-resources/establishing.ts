import { approvalOf } from '../../api/custom-resources/definition/approval.ts';
import type { CustomResourceDefinition } from '../../api/types.ts';
import type { Finding } from './conditions.ts';

/** Upstream: controller/establish/establishing_controller.go and controller/status/naming_controller.go. */
export const ESTABLISHED: Finding = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
};

export const NOT_ACCEPTED: Finding = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
};

const APPROVALS = {
  invalid: ['False', 'InvalidAnnotation'],
  missing: ['False', 'MissingAnnotation'],
  approved: ['True', 'ApprovedAnnotation'],
  bypassed: ['False', 'UnapprovedAnnotation'],
} as const;

/** Whether an API in one of the community's groups is approved (upstream: controller/apiapproval); undefined for other groups. */
export function approvalFinding(definition: CustomResourceDefinition): Finding | undefined {
  const approval = approvalOf(definition);
  if (approval === undefined) return undefined;
  const [status, reason] = APPROVALS[approval.state];
  return { type: 'KubernetesAPIApprovalPolicyConformant', status, reason, message: approval.message };
}
