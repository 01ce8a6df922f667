import type { VolumePlugin } from './plugin.ts';

/** The files of an OCI image, read-only (KEP-4639). The runtime mounts it; nothing is to be done on the node. */
export const imagePlugin: VolumePlugin = {
  name: 'kubernetes.io/image',
  canSupport: ({ volume }) => volume.image !== undefined,
  requiresRemount: false,
  readOnly: true,
  hostPath: () => '',
  setUp: async () => undefined,
  tearDown: async () => undefined,
};
