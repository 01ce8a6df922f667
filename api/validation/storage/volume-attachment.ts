import { byteLength } from '../../names.ts';
import type {
  PersistentVolumeSpec,
  VolumeAttachment,
  VolumeAttachmentSource,
  VolumeAttachmentStatus,
  VolumeError,
} from '../../types.ts';
import { complaints, nameIsSubdomain } from '../checks.ts';
import { forbidden, invalid, required, tooLong } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMeta } from '../object-meta.ts';
import { checkDriverName } from '../pod/volume-sources.ts';
import { validateInlineVolumeSpec } from './persistent-volume.ts';

const METADATA_LIMIT_BYTES = 256 * 1024;
const MESSAGE_LIMIT_BYTES = 1024;

/** Source: Kubernetes pkg/apis/storage/validation/validation.go. */
export function validateVolumeAttachment(attachment: VolumeAttachment): FieldError[] {
  const { attacher = '', nodeName = '', source = {} } = attachment.spec ?? {};
  const { persistentVolumeName } = source;
  return [
    ...validateCoreObjectMeta(attachment, { namespaced: false, nameRule: nameIsSubdomain }),
    ...checkDriverName(attacher, 'spec.attacher'),
    ...validateSource(source, 'spec.source'),
    ...complaints('spec.nodeName', nodeName, nameIsSubdomain(nodeName)),
    ...validateStatus(attachment.status),
    ...(persistentVolumeName === undefined
      ? []
      : complaints(
          'spec.source.persistentVolumeName',
          persistentVolumeName,
          nameIsSubdomain(persistentVolumeName),
        )),
  ];
}

function validateSource(source: VolumeAttachmentSource, path: string): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName } = source;
  const words = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) return [required(path, words)];
  if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) return [forbidden(path, words)];
  if (persistentVolumeName === '')
    return [required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName')];
  return inlineVolumeSpec === undefined
    ? []
    : validateInlineVolumeSpec(inlineVolumeSpec as PersistentVolumeSpec, `${path}.inlineVolumeSpec`);
}

function validateStatus(status: VolumeAttachmentStatus | undefined): FieldError[] {
  const metadata = Object.entries(status?.attachmentMetadata ?? {});
  const sizeBytes = metadata.reduce((total, [key, value]) => total + byteLength(key) + byteLength(value), 0);
  return [
    ...(sizeBytes > METADATA_LIMIT_BYTES ? [tooLong('status.attachmentMetadata', METADATA_LIMIT_BYTES)] : []),
    ...validateError(status?.attachError, 'status.attachError'),
    ...validateError(status?.detachError, 'status.detachError'),
  ];
}

function validateError(error: VolumeError | undefined, path: string): FieldError[] {
  const { message = '', errorCode } = error ?? {};
  return [
    // The limit that is named is upstream's, which isn't the one it checks.
    ...(byteLength(message) > MESSAGE_LIMIT_BYTES ? [tooLong(`${path}.message`, METADATA_LIMIT_BYTES)] : []),
    ...(errorCode !== undefined && errorCode < 0
      ? [invalid(`${path}.errorCode`, errorCode, 'must be between 0 and 2147483647, inclusive')]
      : []),
  ];
}

/** Checks a changed attachment: what is attached where stays as it is. */
export function validateVolumeAttachmentUpdate(
  attachment: VolumeAttachment,
  old: VolumeAttachment,
): FieldError[] {
  return [
    ...validateVolumeAttachment(attachment),
    ...checkImmutable(asShown(attachment), asShown(old), 'spec'),
  ];
}

/** The spec with the names that an error shows. */
const asShown = ({ spec }: VolumeAttachment) => ({
  Attacher: spec.attacher,
  Source: {
    PersistentVolumeName: spec.source.persistentVolumeName ?? null,
    InlineVolumeSpec: spec.source.inlineVolumeSpec ?? null,
  },
  NodeName: spec.nodeName,
});

/** Checks a write to volumeattachments/status. */
export function validateVolumeAttachmentStatusUpdate(
  attachment: VolumeAttachment,
  old: VolumeAttachment,
): FieldError[] {
  return validateVolumeAttachmentUpdate(attachment, old);
}
