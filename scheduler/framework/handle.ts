import type { Pod } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Client } from '../../client/rest.ts';
import type { WithNominated } from './filter-nodes.ts';
import type { NodeInfo } from './node-info.ts';
import type { Plugin } from './plugin.ts';

/** What a plugin may use of the scheduler. */
export interface SchedulerHandle {
  client: Client;
  informers: InformerFactory;
  recorder: EventRecorder;
  schedulerName: string;
  clock: Clock;
  /** All nodes with their pods, assumed ones included. */
  nodes(): readonly NodeInfo[];
  /** A node with the waiting pods nominated there that the pod must yield to; itself when there are none. */
  withNominated: WithNominated;
  /** The pods that wait for room on this node. */
  nominatedOn(nodeName: string): Pod[];
  /** All plugins, to run their filters on a node that might be. */
  plugins(): readonly Plugin[];
  /** Has a rejected pod tried again at once; after an error when its back-off is over. */
  activate(pod: Pod, options?: { afterError?: boolean }): void;
  /** Sends a pod that is assumed on a node back to the queue; false when it is bound by now, or about to be. */
  cancelPreBind(pod: Pod): boolean;
  /** For what fails in the background. */
  onError(error: unknown): void;
}

/** Makes a plugin for one scheduler. */
export type PluginFactory = (handle: SchedulerHandle) => Plugin;
