import type { CSINode } from '../../api/types.ts';

/** On a CSINode: the in-tree plugins, comma-separated, whose volumes this node's kubelet gives to CSI drivers. */
export const migratedPluginsAnnotation = 'storage.alpha.kubernetes.io/migrated-plugins';

/** The annotation's value: sorted, so that it stays the same for the same plugins. */
export const migratedPluginsValue = (plugins: Iterable<string>): string => [...plugins].sort().join(',');

/** Whether the node gives this in-tree plugin's volumes to a CSI driver. */
export const isMigratedOnNode = (plugin: string, csiNode: CSINode | undefined): boolean =>
  (csiNode?.metadata?.annotations?.[migratedPluginsAnnotation] ?? '').split(',').includes(plugin);
