import type { PersistentVolume, StorageClass, Volume } from '../../api/types.ts';
import { awsElasticBlockStore } from './aws-elastic-block-store.ts';
import { gcePersistentDisk } from './gce-persistent-disk.ts';
import type { InTreePlugin } from './in-tree-plugin.ts';
import { translateStorageClassOf } from './storage-class.ts';
import { translateTopologyToCsi, translateTopologyToInTree, zoneLabel } from './topology.ts';

export { isMigratedOnNode, migratedPluginsAnnotation, migratedPluginsValue } from './migrated-plugins.ts';

/**
 * Volumes of plugins that once were part of Kubernetes, in terms of the CSI drivers that took their place
 * (upstream's csi-translation-lib). All functions answer copies and leave what they are given alone.
 */
const plugins: readonly InTreePlugin[] = [gcePersistentDisk, awsElasticBlockStore];

/**
 * The label under which a translated volume's zone stands. The clouds' own drivers put a node's zone under a key of
 * theirs (topology.gke.io/zone, topology.ebs.csi.aws.com/zone); ours serves those names too and reports the
 * standard label, which every node has. So that is the key, unless the caller knows that the node's driver reports
 * the cloud's (`zoneKeyFor`).
 */
export interface TranslationOptions {
  zoneKey?: string | undefined;
}

/** The names of the in-tree plugins that are translated, as the migrated-plugins annotation has them. */
export const migratedPlugins: readonly string[] = plugins.map(({ name }) => name);

/** The CSI driver that has taken an in-tree plugin's (or provisioner's) place; undefined when there is none. */
export const csiNameFor = (inTreePlugin: string): string | undefined =>
  plugins.find(({ name }) => name === inTreePlugin)?.driver;

/** The in-tree plugin whose place a CSI driver has taken. */
export const inTreeNameFor = (driver: string): string | undefined =>
  plugins.find((plugin) => plugin.driver === driver)?.name;

/** The in-tree plugin of a PV, if it is one that is translated. */
export const inTreePluginOfPv = (pv: PersistentVolume): string | undefined =>
  plugins.find((plugin) => plugin.supportsPv(pv))?.name;

/** The in-tree plugin of a Pod's volume, if it is one that is translated. */
export const inTreePluginOfVolume = (volume: Volume): string | undefined =>
  plugins.find((plugin) => plugin.supportsVolume(volume))?.name;

/** Which zone key to translate to, given the topology keys that a node's (or the) driver of this name reports. */
export const zoneKeyFor = (driver: string, topologyKeys: readonly string[] = []): string => {
  const vendorZoneKey = plugins.find((plugin) => plugin.driver === driver)?.vendorZoneKey;
  return vendorZoneKey !== undefined && topologyKeys.includes(vendorZoneKey) ? vendorZoneKey : zoneLabel;
};

/** A Pod's own in-tree volume as a PV with a CSI source, one name per disk; throws Error for any other volume. */
export const translateInTreeVolume = (volume: Volume): PersistentVolume => {
  const plugin = plugins.find((each) => each.supportsVolume(volume));
  if (plugin === undefined) throw noTranslation(volume.name);
  return plugin.fromVolume(structuredClone(volume));
};

/** An in-tree PV with a CSI source, and its zone under the driver's key; throws Error for any other PV. */
export const translateInTreePv = (
  pv: PersistentVolume,
  { zoneKey = zoneLabel }: TranslationOptions = {},
): PersistentVolume => {
  const plugin = plugins.find((each) => each.supportsPv(pv));
  if (plugin === undefined) throw noTranslation(pv.metadata?.name ?? '');
  const copy = structuredClone(pv);
  plugin.toCsi(copy);
  translateTopologyToCsi(copy, zoneKey);
  return copy;
};

/** The PV that a driver made for an in-tree class, with the in-tree source; throws Error for other drivers' PVs. */
export const translateCsiPv = (
  pv: PersistentVolume,
  { zoneKey = zoneLabel }: TranslationOptions = {},
): PersistentVolume => {
  const driver = pv.spec?.csi?.driver ?? '';
  const plugin = plugins.find((each) => each.driver === driver);
  if (plugin === undefined) throw noTranslation(driver);
  const copy = structuredClone(pv);
  plugin.toInTree(copy);
  translateTopologyToInTree(copy, { zoneKey, regionOf: (zones) => plugin.regionOf(zones) });
  return copy;
};

/**
 * An in-tree plugin's class in the driver's terms: fstype, zone and zones parameters, and the keys of allowedTopologies.
 * The provisioner stays. Throws Error for any other class, and when both zones and allowedTopologies are given.
 */
export const translateStorageClass = (
  storageClass: StorageClass,
  { zoneKey = zoneLabel }: TranslationOptions = {},
): StorageClass => {
  const plugin = plugins.find(({ name }) => name === storageClass.provisioner);
  if (plugin === undefined) {
    const name = JSON.stringify(storageClass.provisioner);
    throw new Error(`could not find in-tree storage class parameter translation logic for ${name}`);
  }
  return translateStorageClassOf(plugin, { storageClass: structuredClone(storageClass), zoneKey });
};

/** A handle with the project and zone of the node it is attached to, where the handle leaves them out. */
export const repairVolumeHandle = (driver: string, handle: string, nodeId: string): string =>
  plugins.find((plugin) => plugin.driver === driver)?.repairHandle?.(handle, nodeId) ?? handle;

const noTranslation = (name: string) =>
  new Error(`could not find in-tree plugin translation logic for ${JSON.stringify(name)}`);
