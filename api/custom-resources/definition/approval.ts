import type { CustomResourceDefinition } from '../../types.ts';
import { quote } from '../../go-format.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid, required } from '../../validation/field-error.ts';

const ANNOTATION = 'api-approved.kubernetes.io';
const SEE = 'see https://github.com/kubernetes/enhancements/pull/1111';

/** Whether an API in one of the community's groups has been approved. */
export interface Approval {
  state: 'missing' | 'bypassed' | 'approved' | 'invalid';
  message: string;
}

/** The approval that a definition tells of; undefined for groups that need none (upstream: pkg/apihelpers GetAPIApprovalState). */
export function approvalOf({ metadata, spec }: CustomResourceDefinition): Approval | undefined {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group)) return undefined;
  const annotation = metadata?.annotations?.[ANNOTATION] ?? '';
  const needed = `protected groups must have approval annotation ${quote(ANNOTATION)}`;
  if (annotation === '') return { state: 'missing', message: `${needed}, ${SEE}` };
  if (annotation.startsWith('unapproved'))
    return { state: 'bypassed', message: `not approved: ${quote(annotation)}` };
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(annotation))
    return { state: 'approved', message: `approved in ${annotation}` };
  const either = `${needed} with either a URL or a reason starting with "unapproved", ${SEE}`;
  return { state: 'invalid', message: either };
}

/** What was missing or wrong before may stay so. */
export function checkApproval(
  definition: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  const approval = approvalOf(definition);
  if (approval === undefined || (old !== undefined && approvalOf(old)?.state === approval.state)) return [];
  const field = `metadata.annotations[${ANNOTATION}]`;
  if (approval.state === 'missing') return [required(field, approval.message)];
  if (approval.state !== 'invalid') return [];
  return [invalid(field, definition.metadata?.annotations?.[ANNOTATION] ?? '', approval.message)];
}
