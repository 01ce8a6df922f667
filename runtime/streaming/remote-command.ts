import type { Duplex, Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { messageOf } from '../errors.ts';
import { encodeStatus, internalError, nonZeroExit, success } from './exit-status.ts';
import type { StreamStatus } from './exit-status.ts';
import { openSpdyRemoteCommand } from './spdy/remote-command.ts';
import type { Upgrade } from './spdy/upgrade.ts';
import type {
  AttachSession,
  ExecSession,
  ProcessStreams,
  StreamingRuntime,
  TerminalSize,
} from './streaming-runtime.ts';
import { readTerminalSizes } from './terminal-sizes.ts';
import { openWebSocketRemoteCommand } from './websocket/remote-command.ts';
import { isWebSocketUpgrade } from './websocket/upgrade.ts';

/** The streams that a client asked for. */
export interface WantedStreams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** An open connection of exec or attach, of whatever protocol. */
export interface RemoteCommandConnection {
  /** The negotiated protocol, `v4.channel.k8s.io`. */
  protocol: string;
  stdin?: Readable | undefined;
  stdout?: Writable | undefined;
  stderr?: Writable | undefined;
  resize?: Readable | undefined;
  error: Duplex;
  /** Settled when the connection is gone. */
  closed: Promise<void>;
  /** Closes after everything that was written has been sent. */
  close: () => void;
}

/** Serves one exec: runs the command with the client's streams, then sends its exit status. Throws Refusal. */
export function serveExec(
  upgrade: Upgrade,
  {
    request,
    runtime,
  }: { request: WantedStreams & Pick<ExecSession, 'containerId' | 'command'>; runtime: StreamingRuntime },
): Promise<void> {
  const { containerId, command } = request;
  return serve(upgrade, request, async (streams) => {
    try {
      const exitCode = await runtime.exec({ ...streams, containerId, command });
      return exitCode === 0 ? success : nonZeroExit(command, exitCode);
    } catch (error) {
      return internalError(`error executing command in container: ${messageOf(error)}`);
    }
  });
}

/** Serves one attach: joins the container's process until it ends or the client goes. Throws Refusal. */
export function serveAttach(
  upgrade: Upgrade,
  {
    request,
    runtime,
  }: { request: WantedStreams & Pick<AttachSession, 'containerId'>; runtime: StreamingRuntime },
): Promise<void> {
  return serve(upgrade, request, async (streams) => {
    try {
      await runtime.attach({ ...streams, containerId: request.containerId });
      return success;
    } catch (error) {
      return internalError(`error attaching to container: ${messageOf(error)}`);
    }
  });
}

async function serve(
  upgrade: Upgrade,
  wanted: WantedStreams,
  action: (streams: ProcessStreams) => Promise<StreamStatus>,
): Promise<void> {
  const open = isWebSocketUpgrade(upgrade.request) ? openWebSocketRemoteCommand : openSpdyRemoteCommand;
  const connection = await open(upgrade, wanted);
  const gone = new AbortController();
  void connection.closed.then(() => gone.abort());
  try {
    const status = await action(streamsFor(connection, { tty: wanted.tty, signal: gone.signal }));
    await Promise.all([endAndFlush(connection.stdout), endAndFlush(connection.stderr)]);
    await endAndFlush(connection.error, encodeStatus(status, connection));
  } finally {
    connection.close();
    await connection.closed;
  }
}

function streamsFor(
  { stdin, stdout, stderr, resize }: RemoteCommandConnection,
  { tty, signal }: { tty: boolean; signal: AbortSignal },
): ProcessStreams {
  let size: TerminalSize | undefined;
  const listeners: ((size: TerminalSize) => void)[] = [];
  if (resize !== undefined) {
    readTerminalSizes(resize, (changed) => {
      size = changed;
      for (const listener of listeners) listener(changed);
    });
  }
  return {
    tty,
    signal,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    onResize(listener) {
      listeners.push(listener);
      if (size !== undefined) listener(size);
    },
  };
}

/** A client that has gone gets nothing more; that is no error of ours. */
async function endAndFlush(stream: Writable | undefined, last = ''): Promise<void> {
  if (stream === undefined || stream.destroyed) return;
  try {
    if (!stream.writableEnded) stream.end(last === '' ? undefined : last);
    await finished(stream, { readable: false });
  } catch {
    // The connection broke, and its end is told by `closed`.
  }
}
