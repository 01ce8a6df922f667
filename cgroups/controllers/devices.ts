import type { DeviceRule } from '../resources.ts';
import type { Controller, FileWrite } from './controller.ts';

/** devices: an allow list (cgroups v1 devices.txt). v2 has no files for it: device access is a BPF program there. */
export const devices: Controller = {
  name: 'devices',
  v1({ devices: rules }) {
    if (rules === undefined) return [];
    if (rules === 'all') return [['devices.allow', 'a']];
    return [['devices.deny', 'a'], ...rules.map((rule): FileWrite => ['devices.allow', ruleText(rule)])];
  },
  v2: () => [],
};

const ruleText = ({ type, major, minor, access }: DeviceRule): string =>
  `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
