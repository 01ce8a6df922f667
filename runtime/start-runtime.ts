import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Logger } from 'pino';
import { openCgroups } from '../cgroups/index.ts';
import { removeDirectory } from '../linux/remove-directory.ts';
import { makeDirectoryInMemory } from '../linux/tmpfs.ts';
import { runAttachSession } from './containers/attach-session.ts';
import { runExecSession } from './containers/exec-session.ts';
import type { ContainerRecord } from './containers/record.ts';
import { containerRecordVersion, withoutSecrets } from './containers/record.ts';
import { messageOf } from './errors.ts';
import { createContainerEvents } from './events.ts';
import { openImageStore } from './images/index.ts';
import { cniNetwork } from './network.ts';
import { openRecordStore } from './record-store.ts';
import { recover } from './recover.ts';
import { handlers } from './rpc/index.ts';
import type { Runtime } from './runtime.ts';
import { runPortForwardSession } from './sandboxes/port-forward-session.ts';
import type { SandboxRecord } from './sandboxes/record.ts';
import { sandboxRecordVersion } from './sandboxes/record.ts';
import { refuseLivingServer, serveCri } from './server.ts';
import { startStreamingServer } from './streaming/server.ts';
import { createWarnings } from './warnings.ts';

export interface RuntimeOptions {
  /** Durable state of this node's sandboxes and containers. */
  stateDir: string;
  /** The node's directory below /run; what must not reach a disk stands in its folder `runtime`, a tmpfs. */
  runDir: string;
  /** The CRI socket to serve. */
  socketPath: string;
  /** The image store, which other nodes may share. */
  imagesDir: string;
  /** Below it are the cgroups of sandboxes for which no parent is asked, as crictl makes them. Default /podwright. */
  cgroupRoot?: string;
  cniConfDir: string;
  cniBinDir: string;
  /** Where the streaming server listens; an address of the node's network. Default 127.0.0.1. */
  streamingAddress?: string;
  /** PEM. What the streaming server serves with; without it, it speaks plain HTTP, which only loopback is fit for. */
  streamingTls?: { cert: string; key: string };
  log: Logger;
}

/**
 * Starts the CRI server. Containers and sandboxes of an earlier run are taken up before the socket answers. `stop()` ends the
 * server only: what runs goes on, and is found again by the next start.
 */
export async function startRuntime(options: RuntimeOptions): Promise<{ stop(): Promise<void> }> {
  // What is made for containers must be readable to their users, whoever starts the daemon (a service manager has 022, a shell may not).
  process.umask(0o022);
  await refuseLivingServer(options.socketPath);
  const stopping = new AbortController();
  const unreadable: string[] = [];
  const runtime = openRuntime(options, { stopped: stopping.signal, unreadable });
  await Promise.all(unreadable.map((directory) => removeUnreadable(runtime, directory)));
  await recover(runtime);
  const streaming = await startStreamingServer({
    address: options.streamingAddress ?? '127.0.0.1',
    ...(options.streamingTls === undefined ? {} : { tls: options.streamingTls }),
    runtime: {
      exec: (session) => runExecSession(runtime, session),
      attach: (session) => runAttachSession(runtime, session),
      portForward: (session) => runPortForwardSession(runtime, session),
    },
  });
  runtime.streaming = streaming;
  const server = await serveCri(runtime, { socketPath: options.socketPath, handlers });
  return {
    async stop() {
      stopping.abort();
      await server.stop();
      await streaming.stop();
    },
  };
}

// The leases first: should this be cut short too, the next start finds the directory again.
async function removeUnreadable({ images }: Runtime, directory: string): Promise<void> {
  await images.releaseAll(basename(directory));
  await removeDirectory(directory);
}

interface Opening {
  stopped: AbortSignal;
  /** Gets the directories of records that cannot be read. */
  unreadable: string[];
}

function openRuntime(options: RuntimeOptions, { stopped, unreadable }: Opening): Runtime {
  const { stateDir, imagesDir, log } = options;
  const runDir = join(options.runDir, 'runtime');
  mkdirSync(stateDir, { recursive: true, mode: 0o711 });
  makeDirectoryInMemory(runDir);
  // A record that cannot be read was being made when the power went, and nothing of it runs any more.
  const onUnreadable = (directory: string, error: unknown): void => {
    log.warn({ directory, error: messageOf(error) }, 'record not readable, removed');
    unreadable.push(directory);
  };
  return {
    stateDir,
    runDir,
    sandboxes: openRecordStore<SandboxRecord>({
      dir: join(stateDir, 'sandboxes'),
      volatileDir: join(runDir, 'sandboxes'),
      version: sandboxRecordVersion,
      onUnreadable,
    }),
    containers: openRecordStore<ContainerRecord>({
      dir: join(stateDir, 'containers'),
      volatileDir: join(runDir, 'containers'),
      version: containerRecordVersion,
      forDisk: withoutSecrets,
      onUnreadable,
    }),
    images: openImageStore({ dir: imagesDir }),
    events: createContainerEvents(),
    cgroups: openCgroups({ onWarning: (message) => log.warn(message) }),
    cgroupRoot: options.cgroupRoot ?? '/podwright',
    network: cniNetwork({ confDir: options.cniConfDir, binDir: options.cniBinDir, stateDir }),
    streaming: notYet,
    log,
    warn: createWarnings(log),
    busy: { creating: new Map(), starting: new Set(), stopping: new Set(), removing: new Set() },
    stopped,
  };
}

const refuse = (): never => {
  throw new Error('the streaming server is not started yet');
};
const notYet = { getExecUrl: refuse, getAttachUrl: refuse, getPortForwardUrl: refuse };
