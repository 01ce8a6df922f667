import { join } from 'node:path';

/** `<rootDir>/pods/<uid>`: everything of one Pod on this node. */
export const podDirectory = (rootDir: string, uid: string): string => join(rootDir, 'pods', uid);

/** `pods/<uid>/volumes`, with a folder for each plugin in it. */
export const volumesDirectory = (podDir: string): string => join(podDir, 'volumes');

/** `pods/<uid>/volumes/kubernetes.io~configmap/<name>`: the volume itself. */
export const volumeDirectory = (podDir: string, pluginName: string, volumeName: string): string =>
  join(volumesDirectory(podDir), escapePluginName(pluginName), volumeName);

/** `pods/<uid>/volumeDevices`, with a folder for each plugin in it, and links to devices in those. */
export const volumeDevicesDirectory = (podDir: string): string => join(podDir, 'volumeDevices');

/** `pods/<uid>/volumeDevices/kubernetes.io~csi/<name>`: the link to a block volume's device. */
export const volumeDeviceLink = (podDir: string, pluginName: string, volumeName: string): string =>
  join(volumeDevicesDirectory(podDir), escapePluginName(pluginName), volumeName);

/** `pods/<uid>/plugins/kubernetes.io~empty-dir/<name>`: what the plugin notes about the volume. */
export const metaDirectory = (podDir: string, pluginName: string, volumeName: string): string =>
  join(podDir, 'plugins', escapePluginName(pluginName), volumeName);

/** `pods/<uid>/volume-subpaths`, with `<volume>/<container>/<index of the mount>` below. */
export const subPathsDirectory = (podDir: string): string => join(podDir, 'volume-subpaths');

/** A plugin's name as a folder: `kubernetes.io~configmap`. */
const escapePluginName = (name: string): string => name.replaceAll('/', '~');
export const unescapePluginName = (folder: string): string => folder.replaceAll('~', '/');
