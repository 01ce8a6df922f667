import type { CSINode, PersistentVolume, VolumeAttachment } from '../../../api/types.ts';
import type { ControllerContext } from '../../../client/controller.ts';
import type { Informer } from '../../../client/informer.ts';
import type { RetryOptions } from '../back-off.ts';
import type { SidecarDriver } from '../driver.ts';

export interface AttacherOptions extends RetryOptions {
  /** For volumes that name none; ext4. */
  defaultFsType?: string | undefined;
  /** Attachments at once; upstream's 10. */
  workerThreads?: number | undefined;
}

/** What the parts of an attacher share. */
export interface Attacher {
  driver: SidecarDriver;
  context: ControllerContext;
  defaultFsType: string;
  /** On attachments that may be attached, and on volumes that have one. */
  finalizer: string;
  attachments: Informer<VolumeAttachment>;
  volumes: Informer<PersistentVolume>;
  csiNodes: Informer<CSINode>;
  /** Aborted when the attacher stops: calls end. */
  signal: AbortSignal;
}

/** `external-attacher/` and the driver's name in the characters of a finalizer's name. */
export function attacherFinalizer(driverName: string): string {
  const name = driverName.replaceAll(/[^a-zA-Z0-9-]/g, '-');
  return `external-attacher/${name.endsWith('-') ? `${name}X` : name}`;
}

/** On a VolumeAttachment: the node as the driver names it, for when the node's CSINode is gone. */
export const nodeIdAnnotation = 'csi.alpha.kubernetes.io/node-id';
