import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSpec } from './container-spec.ts';
import type { Plan } from './plan.ts';

const S_IFCHR = 0o020000;

/** Every container's devices (OCI runtime specification, "Default Devices"): path, major and minor. */
const defaultDevices: [string, number, number][] = [
  ['/dev/null', 1, 3],
  ['/dev/zero', 1, 5],
  ['/dev/full', 1, 7],
  ['/dev/random', 1, 8],
  ['/dev/urandom', 1, 9],
  ['/dev/tty', 5, 0],
];

const links: [string, string][] = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
];

/** Device nodes and links of the container's /dev. Throws when a device that was asked for is not there, or is none. */
export function planDevices(plan: Plan, spec: ContainerSpec): void {
  plan.comment('devices');
  const made = new Set<string>();
  const node = (path: string, { mode, major, minor, uid, gid }: DeviceNode) => {
    if (made.has(path)) return;
    made.add(path);
    plan.step('nodein', path, `0${mode.toString(8)}`, major, minor, uid, gid);
  };
  for (const { hostPath, containerPath } of spec.devices ?? []) node(containerPath, deviceAt(hostPath));
  for (const [path, major, minor] of defaultDevices) {
    node(path, { mode: S_IFCHR | 0o666, major, minor, uid: 0, gid: 0 });
  }
  if (spec.privileged === true) for (const path of hostDevices('/dev')) node(path, deviceAt(path));
  for (const [text, path] of links) plan.step('linkin', text, path);
  if (spec.privileged !== true) plan.step('linkin', '/proc/kcore', '/dev/core');
}

interface DeviceNode {
  mode: number;
  major: number;
  minor: number;
  uid: number;
  gid: number;
}

/** Reads a device node of the host, symlinks followed. */
function deviceAt(path: string): DeviceNode {
  const { mode, rdev, uid, gid } = statSync(path);
  const type = mode & 0o170000;
  if (type !== S_IFCHR && type !== 0o060000) throw new Error(`${path} is not a device`);
  // The numbers' encoding in dev_t (makedev(3)).
  const major = ((rdev >> 8) & 0xfff) | (Math.floor(rdev / 2 ** 32) & ~0xfff);
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return { mode, major, minor, uid, gid };
}

/** All devices below a directory of the host, but terminals, shared memory and message queues, which a container has its own of. */
function hostDevices(directory: string): string[] {
  const own = ['pts', 'shm', 'mqueue', 'fd', '.lxc', '.lxd-mounts', '.udev'];
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (own.includes(name) || path === '/dev/console' || path === '/dev/ptmx') return [];
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isDirectory() === true) return hostDevices(path);
    return status?.isCharacterDevice() === true || status?.isBlockDevice() === true ? [path] : [];
  });
}
