import { errorInWords } from '../../../csi/error.ts';
import type { CsiDrivers, RegisteredDriver } from '../../plugin-registration/csi-drivers.ts';

/** A driver that isn't there (yet) is said in upstream's words, which begin with where it was missed. */
export const driverFor = (drivers: CsiDrivers, name: string, what: string): RegisteredDriver => {
  try {
    return drivers.get(name);
  } catch (error) {
    throw new Error(`kubernetes.io/csi: ${what}: ${errorInWords(error)}`, { cause: error });
  }
};
