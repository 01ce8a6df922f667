import type { Logger } from 'pino';
import type { ContainerRecord } from './containers/record.ts';
import type { ContainerEvents } from './events.ts';
import type { ImageStore } from './images/index.ts';
import type { RecordStore } from './record-store.ts';
import type { SandboxRecord } from './sandboxes/record.ts';
import type { Cgroups } from '../cgroups/index.ts';
import type { StreamingServer } from './streaming/server.ts';

/** Everything that the RPCs work on. */
export interface Runtime {
  /** Durable state: sandboxes, containers and the containers' writable layers. */
  stateDir: string;
  /** In memory: plans (with what Secrets give containers), network namespaces, shared memory. */
  runDir: string;
  sandboxes: RecordStore<SandboxRecord>;
  containers: RecordStore<ContainerRecord>;
  images: ImageStore;
  events: ContainerEvents;
  cgroups: Cgroups;
  /** Of sandboxes for which no parent is asked. */
  cgroupRoot: string;
  network: SandboxNetwork;
  streaming: Pick<StreamingServer, 'getExecUrl' | 'getAttachUrl' | 'getPortForwardUrl'>;
  log: Logger;
  /** Logs what could not be done for a sandbox or a container, each thing once. */
  warn: (fields: object, warnings: string[]) => void;
  /** Ids of containers that are being created (by the name that they take), started, stopped or removed now. */
  busy: {
    creating: Map<string, string>;
    starting: Set<string>;
    stopping: Set<string>;
    removing: Set<string>;
  };
  /** Aborted when the daemon stops watching; containers go on. */
  stopped: AbortSignal;
}

/** How sandboxes get their addresses: the CNI plugins. */
export interface SandboxNetwork {
  /** Undefined when a configuration is there and can be used, else why not. */
  notReadyReason(): string | undefined;
  add(sandbox: SandboxRecord & { netnsPath: string }): Promise<{ ips: string[] }>;
  /** Idempotent, also for a sandbox that was never added. */
  remove(sandbox: Pick<SandboxRecord, 'id' | 'netnsPath'>): Promise<void>;
  /** Ids of the sandboxes that are, or may be, attached. */
  attached(): string[];
}
