import type { KubernetesObject } from '../types.ts';

/** Fills in the defaults of a built-in kind, in place. Kinds without defaults stay as they are. */
export function applyDefaults(object: KubernetesObject): void {
  defaulters[`${object.apiVersion ?? ''}/${object.kind ?? ''}`]?.(object);
}

const defaulters: Record<string, (object: KubernetesObject) => void> = {};
