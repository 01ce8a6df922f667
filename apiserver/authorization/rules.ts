import type { PolicyRule } from '../../api/types.ts';
import type { Attributes } from './authorizer.ts';

/** True when a rule allows it (upstream: plugin/pkg/auth/authorizer/rbac RuleAllows). */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResource) return pathMatches(rule.nonResourceURLs, attributes.path);
  return (
    has(rule.apiGroups, attributes.group) &&
    resourceMatches(rule.resources, attributes) &&
    nameMatches(rule.resourceNames, attributes.name)
  );
}

const has = (list: string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

function resourceMatches(resources: string[] | undefined, { resource, subresource }: Attributes): boolean {
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  if (has(resources, whole)) return true;
  return subresource !== '' && resources !== undefined && resources.includes(`*/${subresource}`);
}

const nameMatches = (names: string[] | undefined, name: string): boolean =>
  names === undefined || names.length === 0 || names.includes(name);

function pathMatches(patterns: string[] | undefined, path: string): boolean {
  return (patterns ?? []).some(
    (pattern) =>
      pattern === '*' ||
      pattern === path ||
      (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''))),
  );
}
