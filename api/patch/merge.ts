import { copyJson, isObject, ownValue, setOwnValue } from './json-value.ts';
import type { JsonObject } from './json-value.ts';

/** Applies a JSON merge patch (RFC 7386): null removes, objects merge, anything else replaces. The target stays as it is. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return copyJson(patch);
  const merged: JsonObject = isObject(target) ? copyJson(target) : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else setOwnValue(merged, key, applyMergePatch(ownValue(merged, key), value));
  }
  return merged;
}
