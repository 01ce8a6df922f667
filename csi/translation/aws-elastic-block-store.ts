import type { PersistentVolume } from '../../api/types.ts';
import type { InTreePlugin } from './in-tree-plugin.ts';
import { partitionAttribute, partitionOf } from './in-tree-plugin.ts';

const driver = 'ebs.csi.aws.com';

/** awsElasticBlockStore and ebs.csi.aws.com, whose handles are the bare volume ids (`vol-…`). */
export const awsElasticBlockStore: InTreePlugin = {
  name: 'kubernetes.io/aws-ebs',
  driver,
  vendorZoneKey: 'topology.ebs.csi.aws.com/zone',
  supportsPv: ({ spec }) => spec?.awsElasticBlockStore !== undefined,
  supportsVolume: ({ awsElasticBlockStore: source }) => source !== undefined,
  toCsi({ spec }) {
    const source = spec?.awsElasticBlockStore;
    if (spec === undefined || source === undefined) throw new Error('pv is no AWS elastic block store');
    const { volumeID, fsType, readOnly, partition } = source;
    spec.csi = {
      driver,
      volumeHandle: ebsVolumeId(volumeID),
      volumeAttributes: { partition: partitionAttribute(partition, '0') },
      ...(readOnly === undefined ? {} : { readOnly }),
      ...(fsType === undefined ? {} : { fsType }),
    };
    delete spec.awsElasticBlockStore;
  },
  toInTree({ spec }) {
    if (spec?.csi === undefined) throw new Error('pv has no CSI source');
    const { volumeHandle, fsType, readOnly, volumeAttributes } = spec.csi;
    const partition = partitionOf(volumeAttributes);
    spec.awsElasticBlockStore = {
      volumeID: volumeHandle,
      ...(fsType === undefined ? {} : { fsType }),
      ...(readOnly === undefined ? {} : { readOnly }),
      ...(partition === undefined ? {} : { partition }),
    };
    delete spec.csi;
  },
  fromVolume({ awsElasticBlockStore: source }) {
    if (source === undefined) throw new Error('volume is no AWS elastic block store');
    const pv: PersistentVolume = {
      // The name must be one per disk: the staging path is made of it.
      metadata: { name: `${driver}-${ebsVolumeId(source.volumeID)}` },
      spec: { awsElasticBlockStore: source, accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
    };
    awsElasticBlockStore.toCsi(pv);
    return pv;
  },
  translateParameter: (key, value): Record<string, string> =>
    // The in-tree plugin raised too small a figure by itself; the CSI driver wants to be told to.
    key.toLowerCase() === 'iopspergb'
      ? { [key]: value, allowautoiopspergbincrease: 'true' }
      : { [key]: value },
  regionOf: awsRegionOf,
};

/** `vol-1` of `vol-1`, `aws:///vol-1` and `aws://ZONE/vol-1`; throws Error for other text after `aws://`. */
const ebsVolumeId = (volumeID: string): string => {
  if (!volumeID.startsWith('aws://')) return volumeID;
  const path = volumeID.slice('aws://'.length);
  const id = path.slice(Math.max(0, path.indexOf('/'))).replaceAll(/^\/+|\/+$/g, '');
  if (!/^vol-[^/]*$/.test(id)) {
    throw new Error(
      `failed to translate Kubernetes ID to EBS Volume ID Invalid format for AWS volume (${volumeID})`,
    );
  }
  return id;
};

/** Zones are named `us-west-2a`, `us-gov-east-1a`, `us-west-2-lax-1a` or `us-east-1-wl1-bos-wlz-1`. */
function awsRegionOf(zones: readonly string[]): string | undefined {
  const regions = new Set(zones.map(regionOfZone));
  const [region = ''] = regions;
  return regions.size === 1 && region !== '' ? region : undefined;
}

const regionOfZone = (zone: string): string => {
  const parts = zone.split('-');
  const last = parts.at(-1) ?? '';
  if ((parts.length === 3 || parts.length === 4) && last.length === 2) return zone.slice(0, -1);
  return parts.length === 5 || parts.length === 7 ? parts.slice(0, 3).join('-') : '';
};
