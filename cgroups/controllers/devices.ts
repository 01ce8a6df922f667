import { attachDeviceFilter } from '../../linux/device-filter.ts';
import { hasCode } from '../../linux/system-error.ts';
import type { DeviceRule } from '../resources.ts';
import { type CgroupDirectory, type Controller, writeValue } from './controller.ts';

/** What every container may use (OCI runtime specification, "Default Devices", as runc allows them). */
const always: DeviceRule[] = [
  { type: 'c', access: 'm' },
  { type: 'b', access: 'm' },
  { type: 'c', major: 1, minor: 3, access: 'rwm' }, // null
  { type: 'c', major: 1, minor: 5, access: 'rwm' }, // zero
  { type: 'c', major: 1, minor: 7, access: 'rwm' }, // full
  { type: 'c', major: 1, minor: 8, access: 'rwm' }, // random
  { type: 'c', major: 1, minor: 9, access: 'rwm' }, // urandom
  { type: 'c', major: 5, minor: 0, access: 'rwm' }, // tty
  { type: 'c', major: 5, minor: 1, access: 'rwm' }, // console
  { type: 'c', major: 5, minor: 2, access: 'rwm' }, // ptmx
  { type: 'c', major: 136, access: 'rwm' }, // pts/*
];

/** Which device nodes may be opened: devices.allow, or on v2 a BPF program attached to the cgroup. */
export const devices: Controller = {
  name: 'devices',
  apply(directory, resources) {
    if (resources.devices === undefined || resources.devices === 'all') return;
    const rules = [...always, ...resources.devices];
    if (directory.version === 2) attachFilter(directory, rules);
    else allowOnly(directory, rules);
  },
};

function allowOnly(directory: CgroupDirectory, rules: DeviceRule[]): void {
  writeValue(directory, 'devices.deny', 'a');
  for (const { type, major, minor, access } of rules) {
    writeValue(directory, 'devices.allow', `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`);
  }
}

function attachFilter(directory: CgroupDirectory, rules: DeviceRule[]): void {
  try {
    attachDeviceFilter(directory.path, rules);
  } catch (error) {
    if (!hasCode(error, 'ENOSYS', 'EPERM', 'EINVAL', 'ENOTSUP')) throw error;
    directory.warn(
      `devices are not restricted: this kernel takes no device program (${(error as Error).message})`,
    );
  }
}
