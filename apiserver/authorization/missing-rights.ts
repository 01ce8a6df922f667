import { quote } from '../../api/go-format.ts';
import type { PolicyRule } from '../../api/types.ts';

/**
 * The rights that somebody lacks, one a line, as refusals list them: `{APIGroups:["apps"], Resources:["deployments"],
 * Verbs:["get" "list"]}` (upstream: registry/rbac/validation CompactRules, apis/rbac/v1 CompactString).
 */
export function describeMissing(parts: PolicyRule[]): string {
  return [...new Set(compact(parts).map(describeRule))].toSorted().join('\n');
}

/** Rights to one whole resource become one rule with all the verbs; the others stay as they are. */
function compact(parts: PolicyRule[]): PolicyRule[] {
  const simple = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const part of parts) {
    if (part.nonResourceURLs !== undefined || part.resourceNames !== undefined) {
      others.push(part);
      continue;
    }
    const key = JSON.stringify([part.apiGroups, part.resources]);
    const verbs = [...(simple.get(key)?.verbs ?? []), ...part.verbs];
    simple.set(key, { ...part, verbs });
  }
  return [...others, ...simple.values()];
}

function describeRule({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const fields: [string, string[] | undefined][] = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['NonResourceURLs', nonResourceURLs],
    ['ResourceNames', resourceNames],
    ['Verbs', verbs],
  ];
  const shown = fields.flatMap(([name, values = []]) =>
    values.length === 0 ? [] : [`${name}:[${values.map(quote).join(' ')}]`],
  );
  return `{${shown.join(', ')}}`;
}

/** Several errors in one text, each once (upstream: apimachinery util/errors Aggregate). */
export function aggregate(errors: string[]): string {
  const different = [...new Set(errors)];
  return different.length === 1 ? different.join('') : `[${different.join(', ')}]`;
}
