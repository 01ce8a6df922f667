import type { Pod } from '../../api/types.ts';
import type { ApiObject } from '../../client/objects.ts';

/**
 * Something happened in the cluster that may let a waiting pod in. `resource` is Node, AssignedPod (a pod with
 * a node), or a name of a plugin's watchedResources. A change of the waiting pod itself is the queue's affair.
 */
export interface ClusterEvent {
  resource: string;
  action: 'Add' | 'Delete' | 'Update' | 'UpdateAllocatable' | 'UpdateLabel' | 'UpdateTaint' | 'ScaleDown';
  previous?: ApiObject | undefined;
  object?: ApiObject | undefined;
}

/** A plugin's promise: only these events can change its mind. */
export interface QueueingHint {
  resource: string;
  actions: readonly ClusterEvent['action'][];
  /** A closer look at one waiting pod; taken as yes when there is none. */
  mayHelp?(pod: Pod, event: ClusterEvent): boolean;
}
