import { mkdirSync } from 'node:fs';
import type { CSIDriver } from '../../../api/types.ts';
import { errorInWords, isFinalError } from '../../../csi/error.ts';
import type { NodePublishVolumeRequest, Sent } from '../../../csi/types.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import type { RegisteredDriver } from '../../plugin-registration/csi-drivers.ts';
import { giveToGroup } from '../give-to-group.ts';
import { fsGroupOf } from '../ownership.ts';
import type { SetUpOptions } from '../plugin.ts';
import { wasMountedThisBoot } from '../ready-file.ts';
import { capabilityOf } from './capability.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { checkLifecycleMode } from './driver-objects.ts';
import type { LifecycleMode } from './driver-objects.ts';
import { takesFsGroup } from './fs-group.ts';
import { attachmentNameOf } from '../../../api/storage/attachment.ts';
import { globalMount, inlineHandle, publishTarget } from './paths.ts';
import { podInfo, serviceAccountTokens } from './pod-attributes.ts';
import { readSecret } from './secrets.ts';
import { driverFor } from './driver-for.ts';
import { removeFailedTarget, saveVolumeData } from './volume-data.ts';

/** What differs between a PersistentVolume and an inline volume. */
interface Source {
  driverName: string;
  handle: string;
  mode: LifecycleMode;
  fsType: string;
  attributes: Record<string, string>;
  secret: { name?: string; namespace?: string } | undefined;
  mountFlags: string[];
}

export interface PublishResult {
  /** When a service account token is due, in milliseconds since the Unix epoch. */
  refreshAtMs?: number | undefined;
}

/**
 * NodePublishVolume of a file system for a Pod, and its fsGroup. Called again it renews what it tells the driver (requiresRepublish).
 * Rejects with CsiError, or Error in upstream's words. Upstream: csi_mounter.go SetUpAt.
 */
export const publish = async (
  context: CsiContext,
  options: SetUpOptions,
  publishContext: Record<string, string>,
): Promise<PublishResult> => {
  const { pod, spec, directory } = options;
  const source = sourceOf(options);
  const { driverName, mode } = source;
  const driver = driverFor(context.drivers, driverName, 'mounter.SetUpAt failed to get CSI client');
  const driverObject = await context.driverObjects.get(driverName);
  wrapped('mounter.SetupAt failed to check volume lifecycle mode', () =>
    checkLifecycleMode(driverObject, { driverName, mode }),
  );
  const secrets = await readSecret(context.client, source.secret, 'NodePublishSecretRef');
  const tokens = await serviceAccountTokens(driverObject, options);
  const delegated = await driver.supports('VOLUME_MOUNT_GROUP');
  const { fsType, mountFlags, attributes } = source;
  const fsGroup = fsGroupOf(pod);
  const volumeCapability = await capabilityOf(driver, spec, {
    mount: { fsType, mountFlags, fsGroup: delegated ? fsGroup : undefined },
  });
  const targetPath = publishTarget(directory);
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  saveVolumeData(directory, {
    specVolID: spec.name,
    volumeHandle: source.handle,
    driverName,
    nodeName: context.nodeName,
    volumeLifecycleMode: mode,
    attachmentID: attachmentNameOf({ driver: driverName, handle: source.handle }, context.nodeName),
  });
  await callPublish(driver, options, {
    volumeId: source.handle,
    publishContext,
    stagingTargetPath: await stagingPathOf(context, driver, source),
    targetPath,
    volumeCapability,
    readonly: spec.readOnly,
    secrets: { ...secrets, ...(tokens.inSecrets ? tokens.attributes : {}) },
    volumeContext: {
      ...attributes,
      ...podInfo(driverObject, pod, mode),
      ...(tokens.inSecrets ? {} : tokens.attributes),
    },
  });
  if (!delegated && takesFsGroup({ spec, fsType, fsGroup, policy: policyOf(driverObject) })) {
    await giveToGroup({ directory: targetPath, pod, clock: context.clock, events: context.events });
  }
  return { refreshAtMs: tokens.refreshAtMs };
};

const sourceOf = ({ spec, pod, podUid }: SetUpOptions): Source => {
  const inline = spec.volume.csi;
  if (inline !== undefined) {
    const { driver, fsType = '', volumeAttributes = {}, nodePublishSecretRef } = inline;
    const { namespace = '' } = pod.metadata ?? {};
    return {
      driverName: driver,
      handle: inlineHandle(podUid, spec.name),
      mode: 'Ephemeral',
      fsType,
      attributes: volumeAttributes,
      secret: nodePublishSecretRef === undefined ? undefined : { ...nodePublishSecretRef, namespace },
      mountFlags: [],
    };
  }
  const {
    driver,
    volumeHandle,
    fsType = '',
    volumeAttributes = {},
    nodePublishSecretRef,
  } = csiSourceOf(spec);
  return {
    driverName: driver,
    handle: volumeHandle,
    mode: 'Persistent',
    fsType,
    attributes: volumeAttributes,
    secret: nodePublishSecretRef,
    mountFlags: spec.persistentVolume?.spec?.mountOptions ?? [],
  };
};

const stagingPathOf = async (
  { rootDir }: CsiContext,
  driver: RegisteredDriver,
  { mode, driverName, handle }: Source,
): Promise<string> => {
  if (mode === 'Ephemeral' || !(await driver.supports('STAGE_UNSTAGE_VOLUME'))) return '';
  return globalMount(rootDir, driverName, handle);
};

const callPublish = async (
  driver: RegisteredDriver,
  { metaDirectory, directory }: SetUpOptions,
  request: Sent<NodePublishVolumeRequest>,
): Promise<void> => {
  await failpoint('kubelet.publish.before-call');
  try {
    await driver.node.nodePublishVolume(request, { timeoutMs: csiTimeoutMs });
  } catch (error) {
    // A volume that the Pod has already stays, whatever a renewal says.
    if (isFinalError(error) && !wasMountedThisBoot(metaDirectory))
      removeFailedTarget(publishTarget(directory));
    throw error;
  }
  await failpoint('kubelet.publish.after-call');
};

const policyOf = (driver: CSIDriver | undefined): string =>
  driver?.spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType';

const wrapped = (what: string, check: () => void): void => {
  try {
    check();
  } catch (error) {
    throw new Error(`kubernetes.io/csi: ${what}: ${errorInWords(error)}`, { cause: error });
  }
};
