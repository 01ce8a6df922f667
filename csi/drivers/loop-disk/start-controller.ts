import { serveDriver } from '../../serve.ts';
import type { DriverServices } from '../../serve.ts';
import { connectCloud } from './cloud/client.ts';
import type { CloudLog } from './cloud/cloud.ts';
import { answeringCloudErrors } from './controller/cloud-error.ts';
import type { ControllerContext } from './controller/context.ts';
import { controllerExpandVolume } from './controller/expand-volume.ts';
import { controllerGetCapabilities } from './controller/get-capabilities.ts';
import { controllerGetVolume } from './controller/get-volume.ts';
import { controllerModifyVolume } from './controller/modify-volume.ts';
import { controllerPublishVolume } from './controller/publish-volume.ts';
import { controllerUnpublishVolume } from './controller/unpublish-volume.ts';
import { createSnapshot } from './controller/create-snapshot.ts';
import { createVolume } from './controller/create-volume.ts';
import { deleteSnapshot } from './controller/delete-snapshot.ts';
import { deleteVolume } from './controller/delete-volume.ts';
import { getCapacity } from './controller/get-capacity.ts';
import { getSnapshot } from './controller/get-snapshot.ts';
import { listSnapshots } from './controller/list-snapshots.ts';
import { listVolumes } from './controller/list-volumes.ts';
import { validateVolumeCapabilities } from './controller/validate-volume-capabilities.ts';
import {
  createVolumeGroupSnapshot,
  deleteVolumeGroupSnapshot,
  getVolumeGroupSnapshot,
  groupControllerGetCapabilities,
} from './group-controller/group-snapshots.ts';
import { identityService } from './identity/identity.ts';
import { vendorOf } from './vendor.ts';

export interface StartControllerOptions {
  /** Also the vendor whose forms it speaks: see vendor.ts. */
  driverName: string;
  socketPath: string;
  cloudSocket: string;
  log: CloudLog;
}

/**
 * Serves the controller side: identity, controller and group controller services. Every RPC is a few calls of the
 * cloud's API.
 */
export async function startLoopDiskController(
  options: StartControllerOptions,
): Promise<{ stop(): Promise<void> }> {
  const { driverName, socketPath, log } = options;
  const { services, close } = controllerServices(options);
  const server = await serveDriver({ socketPath, ...services });
  log.info({ driver: driverName, socketPath }, 'controller service of the driver is there');
  return {
    async stop() {
      await server.stop();
      close();
    },
  };
}

/** The services, for a server that has more than these. */
function controllerServices({
  driverName,
  cloudSocket,
}: Pick<StartControllerOptions, 'driverName' | 'cloudSocket'>): {
  services: DriverServices;
  close: () => void;
} {
  const cloud = connectCloud(cloudSocket);
  const context: ControllerContext = { cloud, vendor: vendorOf(driverName) };
  const isReady = () =>
    cloud.listZones().then(
      () => true,
      () => false,
    );
  return {
    services: {
      identity: identityService({ driverName, isReady }),
      controller: controllerRpcs(context),
      groupController: groupControllerRpcs(context),
    },
    close: () => cloud.close(),
  };
}

const controllerRpcs = (context: ControllerContext): DriverServices['controller'] & object =>
  answeringCloudErrors<DriverServices['controller'] & object>({
    createVolume: (request, call) => createVolume(context, request, call),
    deleteVolume: (request) => deleteVolume(context, request),
    controllerPublishVolume: (request) => controllerPublishVolume(context, request),
    controllerUnpublishVolume: (request) => controllerUnpublishVolume(context, request),
    validateVolumeCapabilities: (request) => validateVolumeCapabilities(context, request),
    listVolumes: (request) => listVolumes(context, request),
    getCapacity: (request) => getCapacity(context, request),
    controllerGetCapabilities: () => controllerGetCapabilities(),
    createSnapshot: (request) => createSnapshot(context, request),
    deleteSnapshot: (request) => deleteSnapshot(context, request),
    listSnapshots: (request) => listSnapshots(context, request),
    getSnapshot: (request) => getSnapshot(context, request),
    controllerExpandVolume: (request) => controllerExpandVolume(context, request),
    controllerGetVolume: (request) => controllerGetVolume(context, request),
    controllerModifyVolume: (request) => controllerModifyVolume(context, request),
  });

const groupControllerRpcs = (context: ControllerContext): DriverServices['groupController'] & object =>
  answeringCloudErrors<DriverServices['groupController'] & object>({
    groupControllerGetCapabilities: () => groupControllerGetCapabilities(),
    createVolumeGroupSnapshot: (request) => createVolumeGroupSnapshot(context, request),
    deleteVolumeGroupSnapshot: (request) => deleteVolumeGroupSnapshot(context, request),
    getVolumeGroupSnapshot: (request) => getVolumeGroupSnapshot(context, request),
  });
