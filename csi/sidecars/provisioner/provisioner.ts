import type { Controller, ControllerContext } from '../../../client/controller.ts';
import type { SidecarDriver } from '../driver.ts';
import { reconcileClaims } from './claims.ts';
import { provisionerOf } from './settings.ts';
import type { ProvisionerOptions } from './settings.ts';
import { releaseClonedClaims, releaseSnapshots } from './source-protection.ts';
import { reconcileVolumes } from './volumes.ts';

export type { ProvisionerOptions } from './settings.ts';

/**
 * Makes and deletes the volumes of a driver's StorageClasses: what kubernetes-csi/external-provisioner v6 does.
 * `stop()` ends calls under way; they are repeated by whoever comes next.
 */
export const createProvisioner =
  (driver: SidecarDriver, options: ProvisionerOptions = {}) =>
  (context: ControllerContext): Controller => {
    const stopping = new AbortController();
    const provisioner = provisionerOf(context, driver, { ...options, signal: stopping.signal });
    const controllers = [
      reconcileClaims(provisioner),
      reconcileVolumes(provisioner),
      releaseClonedClaims(provisioner),
      releaseSnapshots(provisioner),
    ];
    return {
      async stop() {
        stopping.abort(new Error('the provisioner is stopped'));
        await Promise.all(controllers.map((controller) => controller.stop()));
      },
    };
  };
