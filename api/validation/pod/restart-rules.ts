import type { Container, ContainerRestartRule } from '../../types.ts';
import { checkEnum } from '../checks.ts';
import { notSupported, required, tooMany } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';

/** Checks a container's own restart policy and its rules by exit code (ContainerRestartRules). */
export function validateRestartRules(
  { restartPolicy, restartPolicyRules }: Container,
  at: string,
): FieldError[] {
  const rules = restartPolicyRules ?? [];
  const missing = restartPolicy === undefined && rules.length > 0;
  return [
    ...(missing
      ? [required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used')]
      : checkEnum(restartPolicy, `${at}.restartPolicy`, ['Always', 'Never', 'OnFailure'])),
    ...(rules.length > 20 ? [tooMany(`${at}.restartPolicyRules`, rules.length, 20)] : []),
    ...rules.flatMap((rule, index) => validateRule(rule, `${at}.restartPolicyRules[${index}]`)),
  ];
}

function validateRule({ action = '', exitCodes }: ContainerRestartRule, at: string): FieldError[] {
  const actions = ['Restart', 'RestartAllContainers'];
  const count = exitCodes?.values?.length ?? 0;
  return [
    ...(actions.includes(action) ? [] : [notSupported(`${at}.action`, action, actions)]),
    ...(exitCodes === undefined
      ? [required(`${at}.exitCodes`, 'must be specified')]
      : checkEnum(exitCodes.operator, `${at}.exitCodes.operator`, ['In', 'NotIn'])),
    ...(count > 255 ? [tooMany(`${at}.exitCodes.values`, count, 255)] : []),
  ];
}
