import { attachmentNameOf } from '../../api/storage/attachment.ts';
import type { DriverVolume } from '../../api/storage/attachment.ts';

/**
 * A volume that is, or may be, attached to a node.
 *
 *     uncertain ──(attacher says attached)──▶ attached ──(nobody needs it)──▶ detaching ──▶ forgotten
 *         └──────────────────────(nobody needs it)───────────────────────────────▲
 *
 * After a restart everything is learnt again from the VolumeAttachments and the nodes' status.
 */
export interface Attachment extends DriverVolume {
  readonly uniqueName: string;
  readonly node: string;
  /** Name of the VolumeAttachment. */
  readonly objectName: string;
  /** Of the VolumeAttachment that this is about; undefined while none is known. */
  uid: string | undefined;
  /** The attacher has confirmed it, and it has been told to the Pods. */
  isConfirmed: boolean;
  /** The VolumeAttachment has been deleted and waits for the attacher. */
  isDetaching: boolean;
  /** Since when nobody on the node needs it. */
  detachRequestedAtMs: number | undefined;
  /** Since when the attacher is waited for. */
  waitingSinceMs: number | undefined;
  /** The last error of the attacher that was told, so that each is told once. */
  toldError: string | undefined;
  /** Whether the node had it in use when it was last seen; so it is assumed until the node says otherwise. */
  wasInUse: boolean;
}

/** All that is or may be attached. */
export class ActualState {
  readonly #byVolume = new Map<string, Map<string, Attachment>>();
  readonly #byObject = new Map<string, Attachment>();

  get(uniqueName: string, node: string): Attachment | undefined {
    return this.#byVolume.get(uniqueName)?.get(node);
  }

  /** The attachments of a volume, one a node. */
  of(uniqueName: string): Attachment[] {
    return [...(this.#byVolume.get(uniqueName)?.values() ?? [])];
  }

  on(node: string): Attachment[] {
    return [...this.#byObject.values()].filter((attachment) => attachment.node === node);
  }

  byObjectName(name: string): Attachment | undefined {
    return this.#byObject.get(name);
  }

  all(): Attachment[] {
    return [...this.#byObject.values()];
  }

  /** The attachment of a volume to a node, uncertain when it is new. */
  add({ driver, handle, uniqueName }: DriverVolume & { uniqueName: string }, node: string): Attachment {
    const known = this.get(uniqueName, node);
    if (known !== undefined) return known;
    const attachment: Attachment = {
      driver,
      handle,
      uniqueName,
      node,
      objectName: attachmentNameOf({ driver, handle }, node),
      uid: undefined,
      isConfirmed: false,
      isDetaching: false,
      detachRequestedAtMs: undefined,
      waitingSinceMs: undefined,
      toldError: undefined,
      wasInUse: true,
    };
    const nodes = this.#byVolume.get(uniqueName) ?? new Map<string, Attachment>();
    this.#byVolume.set(uniqueName, nodes.set(node, attachment));
    this.#byObject.set(attachment.objectName, attachment);
    return attachment;
  }

  remove({ uniqueName, node, objectName }: Attachment): void {
    this.#byObject.delete(objectName);
    const nodes = this.#byVolume.get(uniqueName);
    nodes?.delete(node);
    if (nodes?.size === 0) this.#byVolume.delete(uniqueName);
  }
}
