import { readFileSync } from 'node:fs';
import { allContainers } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { Rejection } from './admission.ts';

/** Whether this kernel enforces AppArmor. */
export function hostHasAppArmor(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y');
  } catch {
    return false; // built without it
  }
}

/**
 * Rejects a Pod that wants to be confined by AppArmor where nothing would confine it (upstream: pkg/security/apparmor). The API server
 * has made fields of the old annotations. The runtime loads no profiles, and its default is none.
 */
export function unenforceableAppArmor(pod: KubeletPod, hasAppArmor: () => boolean): Rejection | undefined {
  if (pod.status.phase !== undefined && pod.status.phase !== 'Pending') return undefined;
  const profiles = [
    pod.spec.securityContext,
    ...allContainers(pod).map(({ container }) => container.securityContext),
  ].flatMap((context) => context?.appArmorProfile ?? []);
  const wanted = profiles.filter(({ type }) => type !== 'Unconfined');
  if (wanted.length === 0) return undefined;
  if (!hasAppArmor()) return rejection('AppArmor is not enabled on the host');
  const local = wanted.find(({ type }) => type === 'Localhost');
  return local && rejection(`profile "${local.localhostProfile ?? ''}" cannot be loaded by this runtime`);
}

const rejection = (why: string): Rejection => ({
  reason: 'AppArmor',
  message: `Cannot enforce AppArmor: ${why}`,
});
