import { configMapPlugin } from './config-map.ts';
import { downwardApiPlugin } from './downward-api.ts';
import { emptyDirPlugin } from './empty-dir.ts';
import { gitRepoPlugin } from './git-repo.ts';
import { hostPathPlugin } from './host-path.ts';
import { imagePlugin } from './image.ts';
import type { VolumePlugin } from './plugin.ts';
import { projectedPlugin } from './projected.ts';
import { refusalOf } from './refused-types.ts';
import { secretPlugin } from './secret.ts';
import type { VolumeSpec } from './volume-spec.ts';

/** The types that need nothing but the node; those that need the node's devices and drivers are added by persistent-volumes.ts. */
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

/** The plugin for a volume of a Pod. Throws Error with upstream's words, and what to use instead, when there is none. */
export const pluginFor = (
  spec: VolumeSpec,
  plugins: readonly VolumePlugin[] = volumePlugins,
): VolumePlugin => {
  const plugin = plugins.find((each) => (each.mode ?? 'Filesystem') === spec.mode && each.canSupport(spec));
  if (plugin !== undefined) return plugin;
  throw new Error(
    `failed to get Plugin from volumeSpec for volume "${spec.name}" err=no volume plugin matched${refusalOf(spec)}`,
  );
};
