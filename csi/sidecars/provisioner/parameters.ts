import { quote } from '../../../api/go-format.ts';
import { reservedParameters } from '../secrets.ts';

const prefix = 'csi.storage.k8s.io/';

/**
 * What a class's parameters say to the driver: all but those under csi.storage.k8s.io/, which are for the sidecars and
 * kubelet. Throws an Error for a key of that namespace that nobody knows.
 */
export function driverParameters(parameters: Record<string, string>): Record<string, string> {
  const entries = Object.entries(parameters).filter(([key]) => {
    if (!key.startsWith(prefix)) return true;
    if (reservedParameters.has(key)) return false;
    const unknown = `found unknown parameter key ${quote(key)} with reserved namespace ${prefix}`;
    throw new Error(`failed to strip CSI Parameters of prefixed keys: ${unknown}`);
  });
  return Object.fromEntries(entries);
}

/**
 * The file system that a class asks for, by csi.storage.k8s.io/fstype or the older fstype in any case; `defaultFsType`
 * when it asks for none. Throws an Error when it asks twice.
 */
export function fsTypeOf(parameters: Record<string, string>, defaultFsType: string): string {
  const asked = Object.entries(parameters).filter(
    ([key]) => key === `${prefix}fstype` || key.toLowerCase() === 'fstype',
  );
  if (asked.length > 1)
    throw new Error(`fstype specified in parameters with both "fstype" and ${quote(`${prefix}fstype`)} keys`);
  const fsType = asked[0]?.[1] ?? '';
  return fsType === '' ? defaultFsType : fsType;
}
