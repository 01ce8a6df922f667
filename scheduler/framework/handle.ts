import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Client } from '../../client/rest.ts';
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
  /** All plugins, to run their filters on a node that might be. */
  plugins(): readonly Plugin[];
}

/** Makes a plugin for one scheduler. */
export type PluginFactory = (handle: SchedulerHandle) => Plugin;
