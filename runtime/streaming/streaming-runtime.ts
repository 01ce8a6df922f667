import type { Duplex, Readable, Writable } from 'node:stream';

export interface TerminalSize {
  width: number;
  height: number;
}

/** What exec and attach have in common: the client's streams; those that it did not ask for are undefined. */
export interface ProcessStreams {
  tty: boolean;
  /** Its end is the client's half-close and must become the end of the process's standard input. */
  stdin?: Readable;
  /** Writes wait for the client (write() returns false, then 'drain'), so a slow one slows the process down. */
  stdout?: Writable;
  /** Never with a tty. */
  stderr?: Writable;
  /** Calls `listener` with the terminal's size now, if known, and whenever it changes. */
  onResize: (listener: (size: TerminalSize) => void) => void;
  /** Aborted when the client has gone or the server stops: an exec'd process's terminal is to be hung up, attach to end. */
  signal: AbortSignal;
}

export interface ExecSession extends ProcessStreams {
  containerId: string;
  command: string[];
}

export interface AttachSession extends ProcessStreams {
  containerId: string;
}

export interface PortForwardSession {
  sandboxId: string;
  /** 1 to 65535, in the sandbox's network namespace, on its loopback. */
  port: number;
  /** The client's bytes; its end is a half-close, and the Pod's half-close is to end it. Destroyed when the client has gone. */
  stream: Duplex;
}

/**
 * What the streaming server asks of the runtime. The streams belong to the server, which ends and closes them after the
 * promise is settled; so everything that the process wrote must have been written to them before.
 * A rejection becomes the text of a Failure on the client's error stream.
 */
export interface StreamingRuntime {
  /** Runs a command in a container and resolves with its exit code. */
  exec: (session: ExecSession) => Promise<number>;
  /** Joins the container's main process until it ends or the client goes. */
  attach: (session: AttachSession) => Promise<void>;
  /**
   * Connects to a port of a sandbox and carries bytes and half-closes both ways until both directions have ended. A
   * connection that breaks (ECONNRESET, EPIPE) concerns only itself, any other rejection ends the client's forwarding.
   */
  portForward: (session: PortForwardSession) => Promise<void>;
}
