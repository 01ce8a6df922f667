import type { VolumeAttachment } from '../../../api/types.ts';
import { keepMetadata } from '../keep-metadata.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text } from '../printers/columns.ts';
import { fieldDescription } from '../printers/field-description.ts';

function onlyStatus(attachment: VolumeAttachment, old: VolumeAttachment): void {
  attachment.spec = old.spec;
  keepMetadata(attachment, old);
}

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  namespaced: false,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    {
      ...text(
        'Attacher',
        fieldDescription('storage.v1.VolumeAttachmentSpec', 'attacher'),
        ({ spec }: VolumeAttachment) => spec?.attacher ?? '',
      ),
      format: 'name',
    },
    text(
      'PV',
      fieldDescription('storage.v1.VolumeAttachmentSource', 'persistentVolumeName'),
      ({ spec }) => spec?.source?.persistentVolumeName ?? '',
    ),
    text(
      'Node',
      fieldDescription('storage.v1.VolumeAttachmentSpec', 'nodeName'),
      ({ spec }) => spec?.nodeName ?? '',
    ),
    {
      name: 'Attached',
      type: 'boolean',
      description: fieldDescription('storage.v1.VolumeAttachmentStatus', 'attached'),
      cell: ({ status }) => status?.attached ?? false,
    },
    ageColumn(),
  ],
  strategy: {
    allowUnconditionalUpdate: false,
    prepareForCreate: (attachment) => {
      attachment.status = { attached: false };
    },
    prepareForUpdate: (attachment, old) => {
      if (old.status === undefined) delete attachment.status;
      else attachment.status = old.status;
    },
  },
  subresources: [
    {
      name: 'status',
      kind: 'VolumeAttachment',
      verbs: ['get', 'patch', 'update'],
      strategy: { allowUnconditionalUpdate: false, prepareForUpdate: onlyStatus },
    },
  ],
});
