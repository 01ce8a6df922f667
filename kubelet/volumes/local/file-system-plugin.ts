import { mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { growFileSystem } from '../../../linux/grow-filesystem.ts';
import { bindMount, mount, parseMountOptions, unmount, unmountWaiting } from '../../../linux/mount.ts';
import { hasCode } from '../../../linux/system-error.ts';
import { fileSystemStats } from '../file-system-stats.ts';
import { giveToGroup } from '../give-to-group.ts';
import { mountStateOf } from '../mount-state.ts';
import { fsGroupOf } from '../ownership.ts';
import type { SetUpOptions, VolumePlace, VolumePlugin } from '../plugin.ts';
import { isMountedThisBoot, setMountedThisBoot } from '../ready-file.ts';
import { asVolumeError } from '../volume-error.ts';
import { resizeAfterMount, resizeInUse } from '../resize/resize-claim.ts';
import type { VolumeSpec } from '../volume-spec.ts';
import { refuseSecondPod } from '../way.ts';
import { deviceMountPath, mountDevice } from './mount-device.ts';
import { localDevice, localPluginName, localSourceOf } from './source.ts';
import type { LocalContext } from './source.ts';

/**
 * PersistentVolumes on this node's own disks: a directory, or a block device whose file system the kubelet makes when it is empty and
 * mounts once for all Pods. Each Pod gets a bind mount. Upstream: pkg/volume/local.
 */
export const localFileSystemPlugin = (context: LocalContext): VolumePlugin => ({
  name: localPluginName,
  takesMountOptions: true,
  canSupport: ({ persistentVolume }) => persistentVolume?.spec?.local !== undefined,
  requiresRemount: false,
  readOnly: false,

  async setUp(options) {
    const { spec, podUid, directory, metaDirectory } = options;
    const device = localDevice(context, spec.name);
    device.hold(podUid);
    if (await isMountedThisBoot(metaDirectory, directory)) {
      device.markPublished(podUid);
      return { wasMounted: true };
    }
    await device.inTurn(async () => {
      refuseSecondPod(device, options);
      device.markPublished(podUid);
      await setUpInTurn(context, options);
    });
    setMountedThisBoot(metaDirectory);
    return undefined;
  },

  async tearDown(place) {
    const device = localDevice(context, place.volumeName);
    await device.inTurn(() => unbind(place));
    device.release(place.podUid);
  },

  adopt({ volumeName, podUid }) {
    const device = localDevice(context, volumeName);
    device.hold(podUid);
    device.markPublished(podUid);
  },

  resize({ spec, pod }) {
    const device = localDevice(context, spec.name);
    return device.inTurn(() =>
      resizeInUse(context, { spec, pod, device, expand: () => grow(context, spec) }),
    );
  },

  stats: (_, { directory }) => fileSystemStats(directory),
});

const setUpInTurn = async (context: LocalContext, options: SetUpOptions): Promise<void> => {
  const { rootDir } = context;
  const { spec, directory, pod, podUid } = options;
  const source = await localSourceOf(spec);
  const { local, mountOptions = [] } = spec.persistentVolume?.spec ?? {};
  const device = localDevice(context, spec.name);
  if (source.isDevice) {
    const step = 'MountVolume.MountDevice failed';
    const wanted = {
      rootDir,
      name: spec.name,
      device: source.path,
      fsType: local?.fsType ?? '',
      mountOptions,
    };
    await device
      // What failed has left nothing: mountDevice has unmounted it again.
      .stage(
        (begin) => (begin(), mountDevice({ ...wanted, readOnly: spec.readOnly })),
        () => true,
      )
      .catch((error: unknown) => {
        throw asVolumeError(error, { step, volumeName: spec.name });
      });
  }
  const path = source.isDevice ? deviceMountPath(rootDir, spec.name) : source.path;
  const isShared = device.isPublishedElsewhere(podUid);
  if (isShared) tellOtherGroup(context, options, path);
  await bind(path, options);
  await resizeAfterMount(context, { spec, pod, device, expand: () => grow(context, spec) });
  // The first Pod's group stays: to change it would take the files from the others.
  if (spec.readOnly || isShared) return;
  await giveToGroup({ directory, pod, clock: context.clock, events: context.events });
};

/** Upstream: local.go SetUpAt. */
const tellOtherGroup = ({ events }: LocalContext, { pod, spec }: SetUpOptions, path: string): void => {
  const fsGroup = fsGroupOf(pod);
  const { gid } = statSync(path);
  if (fsGroup === undefined || fsGroup === gid) return;
  const message = `The requested fsGroup is ${fsGroup}, but the volume ${spec.name} has GID ${gid}. The volume may not be shareable.`;
  events.pod(pod, { type: 'Warning', reason: 'AlreadyMountedVolume', message });
};

/** A directory has whatever its disk has. */
const grow = async ({ rootDir }: LocalContext, spec: VolumeSpec): Promise<void> => {
  const { path, isDevice } = await localSourceOf(spec);
  if (isDevice) await growFileSystem(deviceMountPath(rootDir, spec.name), path);
};

const bind = async (source: string, { spec, directory }: SetUpOptions): Promise<void> => {
  const state = await mountStateOf(directory);
  if (state === 'mounted') return;
  if (state === 'dead') unmount(directory, { lazy: true });
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  bindMount({ source, target: directory, readOnly: spec.readOnly });
  const { flags } = parseMountOptions(spec.persistentVolume?.spec?.mountOptions ?? []);
  if (flags.length > 0) {
    mount({
      target: directory,
      flags: ['remount', 'bind', ...flags, ...(spec.readOnly ? ['ro' as const] : [])],
    });
  }
};

const unbind = async ({ directory, metaDirectory }: VolumePlace): Promise<void> => {
  rmSync(metaDirectory, { recursive: true, force: true });
  await unmountWaiting(directory, { ifMounted: true });
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
};
