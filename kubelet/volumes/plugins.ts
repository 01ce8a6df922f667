import type { Volume } from '../../api/types.ts';
import { configMapPlugin } from './config-map.ts';
import { downwardApiPlugin } from './downward-api.ts';
import { emptyDirPlugin } from './empty-dir.ts';
import { gitRepoPlugin } from './git-repo.ts';
import { hostPathPlugin } from './host-path.ts';
import { imagePlugin } from './image.ts';
import type { VolumePlugin } from './plugin.ts';
import { projectedPlugin } from './projected.ts';
import { secretPlugin } from './secret.ts';

/** Every type of volume that Podwright has. */
export const volumePlugins: readonly VolumePlugin[] = [
  emptyDirPlugin,
  hostPathPlugin,
  configMapPlugin,
  secretPlugin,
  downwardApiPlugin,
  projectedPlugin,
  gitRepoPlugin,
  imagePlugin,
];

/** The plugin for a volume of a Pod. Throws Error with upstream's words when there is none. */
export const pluginFor = (volume: Volume, plugins: readonly VolumePlugin[] = volumePlugins): VolumePlugin => {
  const plugin = plugins.find((candidate) => candidate.canSupport(volume));
  if (plugin !== undefined) return plugin;
  throw new Error(
    `failed to get Plugin from volumeSpec for volume "${volume.name}" err=no volume plugin matched`,
  );
};
