import type { KubernetesObject, OwnerReference } from './types.ts';

/** `apps/v1` → group `apps`, version `v1`; `v1` → the core group `''`. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The opposite of `parseApiVersion`. */
export function formatApiVersion({ group, version }: { group: string; version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The owner that manages the object, if any. */
export function controllerOf(object: KubernetesObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find(({ controller }) => controller === true);
}

/** An owner reference to `owner` as its managing controller; deleting the owner in the foreground waits for the object. */
export function controllerReference(owner: KubernetesObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion ?? '',
    kind: owner.kind ?? '',
    name: owner.metadata?.name ?? '',
    uid: owner.metadata?.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const maxGeneratedBase = 58;

/** A name from `generateName`: the base, cut to 58 characters, and five random ones that spell no words. */
export function generatedName(base: string, random: () => number = Math.random): string {
  const suffix = Array.from(
    { length: 5 },
    () => suffixAlphabet[Math.floor(random() * suffixAlphabet.length)],
  );
  return base.slice(0, maxGeneratedBase) + suffix.join('');
}
