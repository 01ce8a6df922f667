import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { VolumePlugin } from '../plugin.ts';
import { setMountedThisBoot } from '../ready-file.ts';
import { refuseSecondPod } from '../way.ts';
import { localDevice, localPluginName, localSourceOf } from './source.ts';
import type { LocalContext } from './source.ts';

/** Block devices of this node, given to containers as they are: `pods/<uid>/volumeDevices/kubernetes.io~local-volume/<volume>` is a link. */
export const localBlockPlugin = (context: LocalContext): VolumePlugin => ({
  name: localPluginName,
  mode: 'Block',
  canSupport: ({ persistentVolume }) => persistentVolume?.spec?.local !== undefined,
  requiresRemount: false,
  readOnly: false,

  async setUp(options) {
    const { spec, podUid, directory, metaDirectory } = options;
    const device = localDevice(context, spec.name);
    device.hold(podUid);
    const { path } = await localSourceOf(spec);
    refuseSecondPod(device, options);
    device.markPublished(podUid);
    mkdirSync(dirname(directory), { recursive: true, mode: 0o750 });
    rmSync(directory, { force: true });
    symlinkSync(path, directory);
    setMountedThisBoot(metaDirectory);
    return undefined;
  },

  async tearDown({ volumeName, podUid, directory, metaDirectory }) {
    rmSync(metaDirectory, { recursive: true, force: true });
    rmSync(directory, { force: true });
    localDevice(context, volumeName).release(podUid);
  },

  adopt({ volumeName, podUid }) {
    const device = localDevice(context, volumeName);
    device.hold(podUid);
    device.markPublished(podUid);
  },
});
