import type { LabelSelector } from '../../types.ts';
import { checkQualifiedName } from '../checks.ts';
import { forbidden, invalid } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';

interface LabelKeys {
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
  labelSelector?: LabelSelector;
}

/**
 * Checks the keys by which a selector asks for the Pod's own labels too, of an affinity term or a spread constraint. What they say has
 * been added to the selector before, so a key that the user has put there himself stands there twice (upstream:
 * ValidateMatchLabelKeysAndMismatchLabelKeys, whose paths are these).
 */
export function validateLabelKeys(
  { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector }: LabelKeys,
  path: string,
): FieldError[] {
  const asked = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  const repeated = (labelSelector?.matchExpressions ?? []).flatMap(({ key }) => {
    const isRepeated = asked.has(key) && matchLabelKeys.includes(key);
    asked.add(key);
    const at = `${path}[${matchLabelKeys.lastIndexOf(key)}]`;
    return isRepeated ? [invalid(at, key, 'exists in both matchLabelKeys and labelSelector')] : [];
  });
  const inBoth = matchLabelKeys.flatMap((key, index) =>
    mismatchLabelKeys.includes(key)
      ? [
          invalid(
            `${path}.matchLabelKeys[${index}]`,
            key,
            'exists in both matchLabelKeys and mismatchLabelKeys',
          ),
        ]
      : [],
  );
  return [
    ...checkKeys(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`),
    ...checkKeys(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`),
    ...repeated,
    ...inBoth,
  ];
}

function checkKeys(keys: string[], labelSelector: LabelSelector | undefined, path: string): FieldError[] {
  if (keys.length > 0 && labelSelector === undefined)
    return [forbidden(path, 'must not be specified when labelSelector is not set')];
  return keys.flatMap((key, index) => checkQualifiedName(key, `${path}[${index}]`));
}
