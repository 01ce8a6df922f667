import type { PolicyRule } from '../../api/types.ts';

/** Each part of `wanted` that none of the rules held allows, one verb and resource (or path) at a time (upstream: component-helpers auth/rbac/validation Covers). */
export function uncoveredRules(wanted: PolicyRule[], held: PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !held.some((rule) => coversPart(rule, part)));
}

function breakDown({
  verbs,
  apiGroups,
  resources,
  resourceNames,
  nonResourceURLs,
}: PolicyRule): PolicyRule[] {
  const ofResources = verbs.flatMap((verb) =>
    (apiGroups ?? []).flatMap((group) =>
      (resources ?? []).flatMap((resource) => {
        const part: PolicyRule = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if ((resourceNames ?? []).length === 0) return [part];
        return (resourceNames ?? []).map((name) => ({ ...part, resourceNames: [name] }));
      }),
    ),
  );
  const ofPaths = verbs.flatMap((verb) =>
    (nonResourceURLs ?? []).map((path) => ({ verbs: [verb], nonResourceURLs: [path] })),
  );
  return [...ofResources, ...ofPaths];
}

const has = (list: string[] | undefined, [wanted = '']: string[] = []): boolean =>
  list !== undefined && (list.includes('*') || list.includes(wanted));

function coversPart(rule: PolicyRule, part: PolicyRule): boolean {
  if (!has(rule.verbs, part.verbs)) return false;
  if (part.nonResourceURLs !== undefined)
    return coversPath(rule.nonResourceURLs ?? [], part.nonResourceURLs[0] ?? '');
  return has(rule.apiGroups, part.apiGroups) && coversResource(rule, part) && coversName(rule, part);
}

function coversResource({ resources }: PolicyRule, part: PolicyRule): boolean {
  if (has(resources, part.resources)) return true;
  const [resource = ''] = part.resources ?? [];
  const slash = resource.indexOf('/');
  return slash >= 0 && resources?.includes(`*${resource.slice(slash)}`) === true;
}

function coversName({ resourceNames = [] }: PolicyRule, part: PolicyRule): boolean {
  if (resourceNames.length === 0) return true;
  return part.resourceNames?.every((name) => resourceNames.includes(name)) ?? false;
}

const coversPath = (patterns: string[], path: string): boolean =>
  patterns.some(
    (pattern) =>
      pattern === '*' ||
      pattern === path ||
      (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''))),
  );
