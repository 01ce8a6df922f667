import type { PersistentVolume } from '../../api/types.ts';
import type { InTreePlugin } from './in-tree-plugin.ts';
import { partitionAttribute, partitionOf } from './in-tree-plugin.ts';
import { splitZones, zonesOfLabels } from './topology.ts';

const driver = 'pd.csi.storage.gke.io';
/** Stands in a handle for a project or zone that nobody has told. */
const unspecified = 'UNSPECIFIED';

/** gcePersistentDisk and pd.csi.storage.gke.io, whose handles are `projects/P/zones/Z/disks/NAME`. */
export const gcePersistentDisk: InTreePlugin = {
  name: 'kubernetes.io/gce-pd',
  driver,
  vendorZoneKey: 'topology.gke.io/zone',
  supportsPv: ({ spec }) => spec?.gcePersistentDisk !== undefined,
  supportsVolume: ({ gcePersistentDisk: source }) => source !== undefined,
  toCsi(pv) {
    const { spec } = pv;
    const source = spec?.gcePersistentDisk;
    if (spec === undefined || source === undefined) throw new Error('pv is no GCE persistent disk');
    const { pdName, fsType, readOnly, partition } = source;
    spec.csi = {
      driver,
      volumeHandle: handleOf(pdName, splitZones(zonesOfLabels(pv))),
      volumeAttributes: { partition: partitionAttribute(partition, '') },
      ...(readOnly === undefined ? {} : { readOnly }),
      ...(fsType === undefined ? {} : { fsType }),
    };
    delete spec.gcePersistentDisk;
    if (spec.accessModes !== undefined) spec.accessModes = [attachableMode(spec.accessModes)];
  },
  toInTree({ spec }) {
    if (spec?.csi === undefined) throw new Error('pv has no CSI source');
    const { volumeHandle, fsType, readOnly, volumeAttributes } = spec.csi;
    const partition = partitionOf(volumeAttributes);
    spec.gcePersistentDisk = {
      pdName: gceDiskName(volumeHandle),
      ...(fsType === undefined ? {} : { fsType }),
      ...(readOnly === undefined ? {} : { readOnly }),
      ...(partition === undefined ? {} : { partition }),
    };
    delete spec.csi;
  },
  fromVolume({ gcePersistentDisk: source }) {
    if (source === undefined) throw new Error('volume is no GCE persistent disk');
    const pv: PersistentVolume = {
      // The name must be one per disk: the staging path is made of it.
      metadata: { name: `${driver}-${source.pdName}` },
      spec: { gcePersistentDisk: source, volumeMode: 'Filesystem' },
    };
    gcePersistentDisk.toCsi(pv);
    Object.assign(pv.spec ?? {}, {
      accessModes: [source.readOnly === true ? 'ReadOnlyMany' : 'ReadWriteOnce'],
    });
    return pv;
  },
  regionOf: gceRegionOf,
  repairHandle(handle, nodeId) {
    const parts = handle.split('/');
    const node = nodeId.split('/');
    // Only a node of that cloud has an id that tells project and zone; others leave the driver to find the disk.
    if (!isFull(parts) || !isFull(node) || parts[1] !== unspecified) return handle;
    const [, project = '', , nodeZone = ''] = node;
    const [, , kind = '', place = '', , name = ''] = parts;
    const ofNode = kind === 'regions' ? (gceRegionOf([nodeZone]) ?? unspecified) : nodeZone;
    return `projects/${project}/${kind}/${place === unspecified ? ofNode : place}/disks/${name}`;
  },
};

/** The disk's name in `projects/P/zones/Z/disks/NAME`; a handle of any other form is the name itself. */
const gceDiskName = (handle: string): string => {
  const parts = handle.split('/');
  return isFull(parts) ? (parts[5] ?? handle) : handle;
};

const isFull = (parts: readonly string[]) => parts.length >= 6 && parts[0] === 'projects';

/** Several zones make a regional disk. */
const handleOf = (pdName: string, zones: readonly string[]): string => {
  if (zones.length <= 1) return `projects/${unspecified}/zones/${zones[0] ?? unspecified}/disks/${pdName}`;
  const region = gceRegionOf(zones);
  if (region === undefined) throw new Error(`failed to get region from zones: ${zones.join(', ')}`);
  return `projects/${unspecified}/regions/${region}/disks/${pdName}`;
};

/**
 * The in-tree plugin took ReadWriteMany for ReadWriteOnce and never looked closer; the CSI driver refuses what
 * a disk can't be, so old volumes get the mode that they always had.
 */
const attachableMode = (modes: readonly string[]): 'ReadWriteOnce' | 'ReadOnlyMany' =>
  modes.length > 0 && modes.every((mode) => mode === 'ReadOnlyMany') ? 'ReadOnlyMany' : 'ReadWriteOnce';

/** `us-east1` of `us-east1-a` and `us-east1-b`: a zone's name without its last part, when it has three. */
function gceRegionOf(zones: readonly string[]): string | undefined {
  const regions = new Set(
    zones.map((zone) => (zone.split('-').length === 3 ? zone.slice(0, zone.lastIndexOf('-')) : '')),
  );
  const [region = ''] = regions;
  return regions.size === 1 && region !== '' ? region : undefined;
}
