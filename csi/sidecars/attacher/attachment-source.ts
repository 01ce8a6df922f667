import { Buffer } from 'node:buffer';
import type { PersistentVolume, PersistentVolumeSpec, VolumeAttachment } from '../../../api/types.ts';
import { secrets } from '../../../client/resources.ts';
import { inTreePluginOfPv, translateInTreePv } from '../../translation/index.ts';
import { nodeIdAnnotation } from './settings.ts';
import type { Attacher } from './settings.ts';

type CsiSource = NonNullable<PersistentVolumeSpec['csi']>;

export interface AttachmentSource {
  spec: PersistentVolumeSpec;
  csi: CsiSource;
  /** undefined for a Pod's own in-tree volume. */
  volume: PersistentVolume | undefined;
}

/**
 * What an attachment attaches: a PersistentVolume, or the translation of a Pod's own in-tree volume. Throws an Error in upstream's
 * words.
 */
export function attachmentSource(
  { volumes }: Attacher,
  { spec: { source } }: VolumeAttachment,
): AttachmentSource {
  const { persistentVolumeName: name, inlineVolumeSpec } = source;
  if (name !== undefined && inlineVolumeSpec !== undefined)
    throw new Error('both InlineCSIVolumeSource and PersistentVolumeName specified in VA source');
  if (inlineVolumeSpec !== undefined) {
    if (inlineVolumeSpec.csi === undefined) throw new Error('inline volume spec contains nil CSI source');
    return { spec: inlineVolumeSpec, csi: inlineVolumeSpec.csi, volume: undefined };
  }
  if (name === undefined)
    throw new Error('neither InlineCSIVolumeSource nor PersistentVolumeName specified in VA source');
  const volume = volumes.lister.getByKey(name);
  if (volume === undefined) throw new Error(`persistentvolume "${name}" not found`);
  const spec = (inTreePluginOfPv(volume) === undefined ? volume : translateInTreePv(volume)).spec ?? {};
  if (spec.csi === undefined) throw new Error('pv spec contained non-csi source that was not migrated');
  return { spec, csi: spec.csi, volume };
}

/**
 * The node's name with the driver. `attachment`: the name it was attached with will do, when the node or its driver is gone;
 * without one that is an Error.
 */
export function nodeIdOf(
  { csiNodes, driver }: Attacher,
  nodeName: string,
  attachment?: VolumeAttachment,
): string {
  const csiNode = csiNodes.lister.getByKey(nodeName);
  const registered = csiNode?.spec.drivers.find(({ name }) => name === driver.name);
  const nodeId = registered?.nodeID ?? attachment?.metadata?.annotations?.[nodeIdAnnotation];
  if (nodeId !== undefined) return nodeId;
  if (csiNode === undefined) throw new Error(`csinode.storage.k8s.io "${nodeName}" not found`);
  throw new Error(`CSINode ${nodeName} does not contain driver ${driver.name}`);
}

/** The secret that the volume is attached with; none for most. */
export async function publishSecrets(
  { context: { client } }: Attacher,
  { controllerPublishSecretRef }: CsiSource,
): Promise<Record<string, string>> {
  if (controllerPublishSecretRef === undefined) return {};
  const { name = '', namespace = '' } = controllerPublishSecretRef;
  const { data = {} } = await client
    .resource(secrets)
    .get({ name, namespace })
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`failed to load secret "${namespace}/${name}": ${why}`, { cause: error });
    });
  const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return Object.fromEntries(decoded) as Record<string, string>;
}
