import type { OwnNode } from '../node/own-node.ts';
import { checkNodeAffinity } from './claims/node-affinity.ts';
import type { SetUpOptions, VolumePlugin } from './plugin.ts';
import { wasMountedThisBoot } from './ready-file.ts';
import { asVolumeError } from './volume-error.ts';
import { wayOf } from './way.ts';

/**
 * The plugin, kept from PersistentVolumes that belong elsewhere and from mount options that it would ignore. A volume that is mounted
 * already is left alone, whatever has become of the node's labels meanwhile.
 */
export const guardedPlugin = (plugin: VolumePlugin, ownNode: Pick<OwnNode, 'node'>): VolumePlugin => ({
  ...plugin,
  async setUp(options) {
    if (!wasMountedThisBoot(options.metaDirectory)) {
      inStep(options, 'NodeAffinity check', () => {
        const node = ownNode.node();
        if (node !== undefined) checkNodeAffinity(options.spec, node);
      });
      inStep(options, 'MountOptionSupport check', () => checkMountOptions(plugin, options));
    }
    return plugin.setUp(options);
  },
});

const checkMountOptions = ({ takesMountOptions }: VolumePlugin, { spec }: SetUpOptions): void => {
  const options = spec.persistentVolume?.spec?.mountOptions ?? [];
  if (options.length === 0 || takesMountOptions === true || spec.mode === 'Block') return;
  throw new Error('mount options are not supported for this volume type');
};

const inStep = ({ spec }: SetUpOptions, name: string, check: () => void): void => {
  try {
    check();
  } catch (error) {
    const { step, reason } = wayOf(spec);
    throw asVolumeError(error, { step: step(name), volumeName: spec.name, reason });
  }
};
