import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
  PersistentVolumeClaimStatus,
} from '../../../api/types.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import type { Resizer } from './settings.ts';

export interface ClaimPatch {
  annotations?: Record<string, string | null>;
  status: { [Key in keyof Omit<PersistentVolumeClaimStatus, 'conditions'>]?: unknown };
  /** Conditions to be as they are here. */
  set?: readonly PersistentVolumeClaimCondition[];
  /** Types of conditions to be no more. */
  remove?: readonly string[];
  /** Whatever others have written since the claim was read. */
  anyVersion?: boolean;
}

/**
 * Changes these parts of a claim's status and no other: kubelet, resizer and modifier all write conditions. Rejects with Conflict when
 * the claim isn't the one that was read any more.
 */
export function patchClaim(
  { context: { client } }: Resizer,
  { metadata }: PersistentVolumeClaim,
  { annotations, status, set = [], remove = [], anyVersion = false }: ClaimPatch,
): Promise<PersistentVolumeClaim> {
  const { name = '', namespace, uid, resourceVersion } = metadata ?? {};
  const removed = remove.map((type) => ({ $patch: 'delete', type }));
  const conditions = [...set, ...removed];
  const patch = {
    metadata: {
      uid,
      ...(anyVersion ? {} : { resourceVersion }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    status: { ...status, ...(conditions.length === 0 ? {} : { conditions }) },
  };
  return client
    .resource(persistentVolumeClaims)
    .patch({ name, namespace, type: 'strategic', subresource: 'status', patch });
}
