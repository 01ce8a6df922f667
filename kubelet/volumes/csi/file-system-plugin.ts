import { errorInWords } from '../../../csi/error.ts';
import type { SetUpOptions, SetUpResult, VolumePlugin } from '../plugin.ts';
import { isMountedThisBoot, setMountedThisBoot } from '../ready-file.ts';
import { asVolumeError } from '../volume-error.ts';
import { isRefusedForLimit } from './attach-limit.ts';
import type { CsiContext } from './context.ts';
import { csiPluginName } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { holdDevice, isAttached, releaseDevice } from './device-of.ts';
import { expandAfterMount, expandInUse } from './expand.ts';
import { publishTarget } from './paths.ts';
import { publish } from './publish.ts';
import type { PublishResult } from './publish.ts';
import { stage } from './stage.ts';
import { csiStats } from './stats.ts';
import { unpublish } from './unpublish.ts';
import { loadVolumeData } from './volume-data.ts';
import { whenAttached } from './when-attached.ts';

/** How often a volume is published again when its driver asks for that and no token is due before; about what upstream does. */
const republishMs = 60_000;

/**
 * File systems behind CSI drivers: PersistentVolumes (attached, staged once for the node, published for each Pod) and inline volumes
 * (published only).
 */
export const csiFileSystemPlugin = (context: CsiContext): VolumePlugin => ({
  name: csiPluginName,
  takesMountOptions: true,
  canSupport: ({ volume, persistentVolume }) => (persistentVolume?.spec ?? volume).csi !== undefined,
  requiresRemount: false,
  readOnly: false,
  hostPath: (_, { directory }) => publishTarget(directory),
  isAttached: (spec) => isAttached(context, spec),
  isRefusedForLimit: (spec) => isRefusedForLimit(context, spec),

  async setUp(options) {
    const { spec, directory, metaDirectory } = options;
    const { name } = spec;
    try {
      const isMounted = await isMountedThisBoot(metaDirectory, publishTarget(directory));
      if (isMounted) return await setUpAgain(context, options);
      const mount =
        spec.persistentVolume === undefined
          ? publish(context, options, {})
          : mountPersistent(context, options);
      const result = await mount;
      setMountedThisBoot(metaDirectory);
      return await refreshOf(context, options, result);
    } catch (error) {
      throw asVolumeError(error, {
        step: 'MountVolume.SetUp failed',
        volumeName: name,
        why: errorInWords(error),
      });
    }
  },

  tearDown: (place) =>
    releaseDevice(context, place, () => unpublish(context, place, loadVolumeData(place.directory))),

  adopt(place) {
    const data = loadVolumeData(place.directory);
    if (data === undefined || data.volumeLifecycleMode === 'Ephemeral') return;
    const volume = { driver: data.driverName, handle: data.volumeHandle };
    holdDevice(context, place, volume).markPublished(place.podUid);
  },

  resize: (options) => expandInUse(context, options),
  stats: (spec, place) => csiStats(context, { spec, place, volumePath: publishTarget(place.directory) }),
});

const mountPersistent = (context: CsiContext, options: SetUpOptions): Promise<PublishResult> =>
  whenAttached(context, options, async ({ device, publishContext }) => {
    await stage(context, { ...options, device, publishContext });
    device.markPublished(options.podUid);
    const result = await publish(context, options, publishContext);
    await expandAfterMount(context, { ...options, device });
    return result;
  });

/** After a restart, and when it is time to tell the driver again. The Pod has the volume all the while. */
const setUpAgain = async (context: CsiContext, options: SetUpOptions): Promise<SetUpResult | undefined> => {
  const { spec, podUid } = options;
  if (spec.persistentVolume !== undefined) {
    const { driver, volumeHandle: handle } = csiSourceOf(spec);
    holdDevice(context, options, { driver, handle }).markPublished(podUid);
  }
  if (!(await republishes(context, options))) return { wasMounted: true };
  const again = () => publish(context, options, {});
  const result =
    spec.persistentVolume === undefined
      ? await again()
      : await whenAttached(context, options, ({ publishContext }) =>
          publish(context, options, publishContext),
        );
  return { ...(await refreshOf(context, options, result)), wasMounted: true };
};

const driverNameOf = ({ spec }: SetUpOptions): string => spec.volume.csi?.driver ?? csiSourceOf(spec).driver;

const republishes = async ({ driverObjects }: CsiContext, options: SetUpOptions): Promise<boolean> => {
  const driver = await driverObjects.get(driverNameOf(options)).catch(() => undefined);
  return driver?.spec.requiresRepublish === true;
};

const refreshOf = async (
  context: CsiContext,
  options: SetUpOptions,
  { refreshAtMs }: PublishResult,
): Promise<SetUpResult | undefined> => {
  if (!(await republishes(context, options))) return undefined;
  const latest = context.clock.now() + republishMs;
  return { refreshAtMs: refreshAtMs === undefined ? latest : Math.min(latest, refreshAtMs) };
};
