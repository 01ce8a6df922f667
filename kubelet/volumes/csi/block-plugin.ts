import { mkdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorInWords } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { isMountPoint, unmountBelow } from '../../../linux/mount-info.ts';
import { bindMount } from '../../../linux/mount.ts';
import { hasCode } from '../../../linux/system-error.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import type { SetUpOptions, VolumePlace, VolumePlugin } from '../plugin.ts';
import { isMountedThisBoot, setMountedThisBoot } from '../ready-file.ts';
import { asVolumeError } from '../volume-error.ts';
import { isRefusedForLimit } from './attach-limit.ts';
import { capabilityOf } from './capability.ts';
import type { CsiContext } from './context.ts';
import { csiPluginName } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { holdDevice, isAttached, releaseDevice } from './device-of.ts';
import { expandAfterMount, expandInUse } from './expand.ts';
import { blockPaths } from './paths.ts';
import { podInfo } from './pod-attributes.ts';
import { readSecret } from './secrets.ts';
import { stageBlock } from './stage-block.ts';
import { driverFor } from './driver-for.ts';
import { csiStats } from './stats.ts';
import { loadVolumeData } from './volume-data.ts';
import type { VolumeData } from './volume-data.ts';
import { whenAttached } from './when-attached.ts';

/**
 * Block volumes behind CSI drivers: a container gets the device itself. On the node stands
 *
 *     plugins/kubernetes.io/csi/volumeDevices/staging/<volume>          NodeStageVolume
 *                                            /publish/<volume>/<pod>    NodePublishVolume: the device
 *                                            /<volume>/dev/<pod>        the same once more: who has it
 *                                            /<volume>/data             notes
 *     pods/<uid>/volumeDevices/kubernetes.io~csi/<volume>               link to the published device
 *
 * The link is made first, so that after a crash its Pod is known. Upstream: csi_block.go.
 */
export const csiBlockPlugin = (context: CsiContext): VolumePlugin => ({
  name: csiPluginName,
  mode: 'Block',
  canSupport: ({ persistentVolume }) => persistentVolume?.spec?.csi !== undefined,
  requiresRemount: false,
  readOnly: false,
  isAttached: (spec) => isAttached(context, spec),
  isRefusedForLimit: (spec) => isRefusedForLimit(context, spec),

  async setUp(options) {
    const { spec, metaDirectory, podUid } = options;
    const { driver, volumeHandle: handle } = csiSourceOf(spec);
    if (await isMapped(context, options)) {
      holdDevice(context, options, { driver, handle, blockName: spec.name }).markPublished(podUid);
      return { wasMounted: true };
    }
    try {
      await whenAttached(context, options, async ({ device, publishContext }) => {
        await stageBlock(context, { ...options, device, publishContext });
        device.markPublished(podUid);
        await publishBlock(context, options, publishContext);
        await expandAfterMount(context, { ...options, device });
      });
    } catch (error) {
      throw asVolumeError(error, {
        step: 'MapVolume.MapPodDevice failed',
        volumeName: spec.name,
        why: errorInWords(error),
        reason: 'FailedMapVolume',
      });
    }
    setMountedThisBoot(metaDirectory);
    tellMapped(context, options);
    return undefined;
  },

  tearDown: (place) =>
    releaseDevice(context, place, async () => {
      const data = loadVolumeData(blockPaths(context.rootDir, place.volumeName).data);
      rmSync(place.metaDirectory, { recursive: true, force: true });
      if (data === undefined) rmSync(place.directory, { force: true });
      else await unpublishBlock(context, place, data);
    }),

  adopt(place) {
    const { volumeName, podUid } = place;
    const data = loadVolumeData(blockPaths(context.rootDir, volumeName).data);
    if (data === undefined) return;
    const volume = { driver: data.driverName, handle: data.volumeHandle, blockName: volumeName };
    holdDevice(context, place, volume).markPublished(podUid);
  },

  resize: (options) => expandInUse(context, options),
  stats: (spec, place) => {
    const volumePath = join(blockPaths(context.rootDir, spec.name).map, place.podUid);
    return csiStats(context, { spec, place, volumePath });
  },
});

/** Its device is where the driver has put it, and in the folder that tells who has it. */
const isMapped = async (
  { rootDir }: CsiContext,
  { spec, podUid, metaDirectory }: SetUpOptions,
): Promise<boolean> => {
  const { publishDirectory, map } = blockPaths(rootDir, spec.name);
  const published = statSync(join(publishDirectory, podUid), { throwIfNoEntry: false });
  return published?.isBlockDevice() === true && isMountedThisBoot(metaDirectory, join(map, podUid));
};

const publishBlock = async (
  context: CsiContext,
  { spec, pod, podUid, directory }: SetUpOptions,
  publishContext: Record<string, string>,
): Promise<void> => {
  const { rootDir, client, drivers, driverObjects } = context;
  const source = csiSourceOf(spec);
  const driver = driverFor(drivers, source.driver, 'blockMapper.MapPodDevice failed to get CSI client');
  const secrets = await readSecret(client, source.nodePublishSecretRef, 'NodePublishSecretRef');
  const info = podInfo(await driverObjects.get(source.driver), pod, 'Persistent');
  const volumeCapability = await capabilityOf(driver, spec, {});
  const { staging, publishDirectory, map } = blockPaths(rootDir, spec.name);
  const targetPath = join(publishDirectory, podUid);
  mkdirSync(publishDirectory, { recursive: true, mode: 0o750 });
  link(targetPath, directory);
  await failpoint('kubelet.publish.before-call');
  await driver.node.nodePublishVolume(
    {
      volumeId: source.volumeHandle,
      publishContext,
      stagingTargetPath: staging,
      targetPath,
      volumeCapability,
      readonly: spec.readOnly,
      secrets,
      volumeContext: { ...source.volumeAttributes, ...info },
    },
    { timeoutMs: csiTimeoutMs },
  );
  await failpoint('kubelet.publish.after-call');
  if (!statSync(targetPath).isBlockDevice()) {
    throw new Error(`${targetPath}: the driver has published no block device there`);
  }
  bindDevice(targetPath, join(map, podUid));
};

const link = (target: string, path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST') || readlinkSync(path) !== target) throw error;
  }
};

const bindDevice = (source: string, target: string): void => {
  if (isMountPoint(target)) return;
  mkdirSync(dirname(target), { recursive: true, mode: 0o750 });
  writeFileSync(target, '');
  bindMount({ source, target });
};

const unpublishBlock = async (
  { rootDir, drivers }: CsiContext,
  { podUid, directory, volumeName }: VolumePlace,
  { driverName, volumeHandle }: VolumeData,
): Promise<void> => {
  const { publishDirectory, map } = blockPaths(rootDir, volumeName);
  const driver = driverFor(drivers, driverName, 'blockMapper.UnmapPodDevice failed to get CSI client');
  unmountBelow(join(map, podUid));
  rmSync(join(map, podUid), { force: true });
  const targetPath = join(publishDirectory, podUid);
  await failpoint('kubelet.unpublish.before-call');
  await driver.node
    .nodeUnpublishVolume({ volumeId: volumeHandle, targetPath }, { timeoutMs: csiTimeoutMs })
    .catch((error: unknown) => {
      throw new Error(`blockMapper.unpublishVolumeForBlock failed: ${errorInWords(error)}`, { cause: error });
    });
  await failpoint('kubelet.unpublish.after-call');
  if (isMountPoint(targetPath)) throw new Error(`${targetPath} is still mounted`);
  rmSync(targetPath, { force: true });
  // Last: by the link the Pod is known to have had the device.
  rmSync(directory, { force: true });
};

const tellMapped = ({ events, rootDir }: CsiContext, { pod, spec, directory }: SetUpOptions): void => {
  const tell = (where: string) =>
    events.pod(pod, {
      type: 'Normal',
      reason: 'SuccessfulMountVolume',
      message: `MapVolume.MapPodDevice succeeded for volume "${spec.name}" ${where}`,
    });
  tell(`globalMapPath "${blockPaths(rootDir, spec.name).map}"`);
  tell(`volumeMapPath "${dirname(directory)}"`);
};
