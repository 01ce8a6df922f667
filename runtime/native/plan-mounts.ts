import type { ContainerMount, ContainerSpec } from './container-spec.ts';
import { bits, mountBits, type Plan } from './plan.ts';
import { firstSlotOfCgroups, slotOfSharedMemory } from './plan-root.ts';

const firstSlotOfMounts = 32;
const { readOnly, noSuid, noDevices } = mountBits;

/**
 * Takes every bind mount's source from the host, with its attributes, before anything else changes in this mount namespace:
 * a copy made while the host's propagation still holds is a peer (bidirectional) or can be made a slave (host-to-container),
 * and no later step can reach back to the host.
 */
export function planSources(plan: Plan, spec: ContainerSpec): void {
  plan.comment('what comes from the host');
  if (spec.shmDirectory !== undefined) {
    plan.step('take', slotOfSharedMemory, spec.shmDirectory, 1);
    plan.step('attributes', slotOfSharedMemory, 0, 0, bits(mountBits.private), 1);
  }
  for (const [index, directory] of Object.values(spec.cgroup?.directories ?? {}).entries()) {
    plan.step('take', firstSlotOfCgroups + index, directory, 0);
    plan.step('attributes', firstSlotOfCgroups + index, 0, 0, bits(mountBits.private), 0);
  }
  for (const [index, mount] of (spec.mounts ?? []).entries())
    planSource(plan, firstSlotOfMounts + index, mount);
}

const propagations = {
  private: mountBits.private,
  'host-to-container': mountBits.slave,
  bidirectional: mountBits.shared,
};

function planSource(plan: Plan, slot: number, mount: ContainerMount): void {
  const propagation = bits(propagations[mount.propagation ?? 'private']);
  const everywhere = mount.recursiveReadOnly === true;
  plan.step('take', slot, mount.source, 1);
  plan.step('attributes', slot, everywhere ? readOnly : 0, 0, propagation, 1);
  if (mount.readOnly === true && !everywhere) plan.step('attributes', slot, readOnly, 0, 0, 0);
}

/** Puts the sources in their places, in the order given, and mounts the tmpfs ones. */
export function planMounts(plan: Plan, spec: ContainerSpec): void {
  plan.comment('volumes');
  for (const { target, options = '' } of spec.tmpfs ?? []) {
    plan.step('mountin', 'tmpfs', target, 'tmpfs', bits(noSuid | noDevices), options);
  }
  for (const [index, { target }] of (spec.mounts ?? []).entries())
    plan.step('put', firstSlotOfMounts + index, target);
}
