import { join } from 'node:path';
import type { ContainerSpec, RootFileSystem } from './container-spec.ts';
import { defaultMaskedPaths, defaultReadonlyPaths } from './masked-paths.ts';
import { bits, mountBits, type Plan } from './plan.ts';

const { noSuid, noDevices, noExec, readOnly, strictAccessTime, relativeAccessTime } = mountBits;

/** The overlay and the kernel's file systems, as containerd's default specification has them (pkg/oci/mounts.go). */
export function planRootFileSystem(plan: Plan, spec: ContainerSpec): void {
  const { mergedDirectory } = spec.rootfs;
  plan.comment('the root directory');
  plan.step(
    'mount',
    'overlay',
    mergedDirectory,
    'overlay',
    bits(relativeAccessTime),
    overlayOptions(spec.rootfs),
  );
  plan.step('root', mergedDirectory);
  const guarded = noSuid | noDevices | noExec;
  plan.step('mountin', 'proc', '/proc', 'proc', bits(guarded), '');
  plan.step('mountin', 'tmpfs', '/dev', 'tmpfs', bits(noSuid | strictAccessTime), 'mode=755,size=65536k');
  const pts = 'newinstance,ptmxmode=0666,mode=0620,gid=5';
  plan.step('mountin', 'devpts', '/dev/pts', 'devpts', bits(noSuid | noExec), pts);
  plan.step('mountin', 'mqueue', '/dev/mqueue', 'mqueue', bits(guarded), '');
  planSharedMemory(plan, spec);
  const writable = spec.privileged === true ? 0 : readOnly;
  plan.step('mountin', 'sysfs', '/sys', 'sysfs', bits(guarded | writable), '');
  planCgroups(plan, spec);
}

function planSharedMemory(plan: Plan, { shmDirectory }: ContainerSpec): void {
  const options = 'mode=1777,size=65536k';
  if (shmDirectory !== undefined) plan.step('put', slotOfSharedMemory, '/dev/shm');
  else plan.step('mountin', 'shm', '/dev/shm', 'tmpfs', bits(noSuid | noDevices | noExec), options);
}

/** Where planSources() keeps the sandbox's shared memory, and the first of the container's cgroup directories. */
export const slotOfSharedMemory = 0;
export const firstSlotOfCgroups = 1;

function planCgroups(plan: Plan, spec: ContainerSpec): void {
  const directories = Object.keys(spec.cgroup?.directories ?? {});
  if (directories.length === 0) return;
  if (!directories.includes('')) {
    const flags = bits(noSuid | noDevices | noExec | relativeAccessTime);
    plan.step('mountin', 'tmpfs', '/sys/fs/cgroup', 'tmpfs', flags, 'mode=755,size=64k');
  }
  for (const [index, name] of directories.entries()) {
    plan.step('put', firstSlotOfCgroups + index, join('/sys/fs/cgroup', name));
  }
  // Only now: the directories to mount on had to be made.
  if (spec.privileged !== true) plan.step('attributesin', '/sys/fs/cgroup', bits(readOnly), 0, 0, 1);
}

/** Overlay's own separators in a path are escaped (kernel documentation, overlayfs.rst). */
function overlayOptions({ lowerDirectories, upperDirectory, workDirectory }: RootFileSystem): string {
  const escaped = (path: string) => path.replace(/[\\,:]/g, '\\$&');
  const lower = lowerDirectories.map(escaped).join(':');
  return `lowerdir=${lower},upperdir=${escaped(upperDirectory)},workdir=${escaped(workDirectory)}`;
}

/** Read-only and masked paths, last of all: nothing can be made below them afterwards. */
export function planSealing(plan: Plan, spec: ContainerSpec): void {
  const privileged = spec.privileged === true;
  plan.comment('what the container must not write and must not see');
  for (const path of spec.readonlyPaths ?? (privileged ? [] : defaultReadonlyPaths))
    plan.ifThere('readonlyin', path);
  for (const path of spec.maskedPaths ?? (privileged ? [] : defaultMaskedPaths)) plan.ifThere('maskin', path);
  if (spec.readOnlyRootfs === true) plan.step('attributesin', '/', bits(readOnly), 0, 0, 0);
}
