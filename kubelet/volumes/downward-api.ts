import { posix } from 'node:path';
import type { DownwardAPIVolumeFile, Pod } from '../../api/types.ts';
import { metadataField } from '../environment/field-path.ts';
import { resourceField } from '../environment/resource-field.ts';
import { aggregate } from './aggregate.ts';
import { tearDownDirectory } from './empty-dir.ts';
import type { FileProjection, Payload } from './payload.ts';
import type { VolumePlugin, VolumeServices } from './plugin.ts';
import { writeVolume } from './write-volume.ts';

/** Fields of the Pod as files, following its labels and annotations. */
export const downwardApiPlugin: VolumePlugin = {
  name: 'kubernetes.io/downward-api',
  canSupport: ({ volume }) => volume.downwardAPI !== undefined,
  requiresRemount: true,
  readOnly: true,

  async setUp(options) {
    const { items = [], defaultMode = 0o644 } = options.volume.downwardAPI ?? {};
    const payload = downwardApiPayload({ ...options, items, defaultMode });
    writeVolume(options, payload);
    return undefined;
  },

  tearDown: tearDownDirectory,
};

export interface DownwardApiOptions {
  pod: Pod;
  items: DownwardAPIVolumeFile[];
  defaultMode: number;
  services: Pick<VolumeServices, 'nodeAllocatable'>;
}

/** The files that the items make. Throws one Error that names everything wrong with them. */
export const downwardApiPayload = ({ pod, items, defaultMode, services }: DownwardApiOptions): Payload => {
  const payload = new Map<string, FileProjection>();
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      const data = Buffer.from(valueOf(item, pod, services));
      payload.set(posix.normalize(item.path), { data, mode: item.mode ?? defaultMode });
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw aggregate(errors);
  return payload;
};

const valueOf = (
  { fieldRef, resourceFieldRef }: DownwardAPIVolumeFile,
  pod: Pod,
  services: Pick<VolumeServices, 'nodeAllocatable'>,
): string => {
  if (fieldRef !== undefined) return metadataField(pod, fieldRef.fieldPath);
  if (resourceFieldRef === undefined) return '';
  return resourceField({ selector: resourceFieldRef, pod, nodeAllocatable: services.nodeAllocatable() });
};
