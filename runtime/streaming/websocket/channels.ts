import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { closeSignal } from './protocols.ts';
import type { ChannelProtocol } from './protocols.ts';

/** How much of a channel may wait to be read before the whole connection waits. */
const receiveBufferBytes = 1024 * 1024;
const heldPongPeriodMs = 2_000;

export interface ChannelOptions {
  protocol: ChannelProtocol;
  /** For every channel, whether the client may write to it; what it writes to others is passed over. */
  readable: boolean[];
  /** Nothing is sent before. */
  clientIsReady?: Promise<void>;
}

/**
 * Channels over a WebSocket: one Duplex each. Their ends cannot be told to the client one by one, only the end of the
 * connection can; the client half-closes a channel by v5's close signal. All are destroyed with the connection.
 *
 * While a channel is not read and its buffer is full, nothing is read from the connection: neither the client's pings are
 * seen nor its end. Pongs are then sent unasked (RFC 6455, 5.5.3), lest the client take us for dead; and when it has
 * gone, its kernel answers with a reset, also through proxies, and the next pong fails.
 */
export function openChannels(webSocket: WebSocket, options: ChannelOptions): Duplex[] {
  const { protocol, readable, clientIsReady = Promise.resolve() } = options;
  const pause = pauser(webSocket);
  const channels = readable.map((mayRead, number) => {
    const onDrain = () => pause.release(number);
    const channel = new Channel({ webSocket, number, protocol, clientIsReady, onDrain });
    if (!mayRead) channel.finish();
    return channel;
  });
  webSocket.on('message', (raw) => {
    const message = decodeMessage(raw, protocol);
    const channel = message === undefined ? undefined : channels[message.channel];
    if (message === undefined || channel === undefined || channel.finished) return;
    if (message.close) channel.finish();
    else if (message.data.length > 0 && !channel.push(message.data)) pause.hold(message.channel);
  });
  webSocket.once('close', () => {
    pause.stop();
    for (const channel of channels) channel.abandon();
  });
  return channels;
}

class Channel extends Duplex {
  finished = false;
  readonly #webSocket: WebSocket;
  readonly #number: number;
  readonly #protocol: ChannelProtocol;
  readonly #clientIsReady: Promise<void>;
  readonly #onDrain: () => void;

  constructor(options: {
    webSocket: WebSocket;
    number: number;
    protocol: ChannelProtocol;
    clientIsReady: Promise<void>;
    onDrain: () => void;
  }) {
    super({ allowHalfOpen: true, readableHighWaterMark: receiveBufferBytes, decodeStrings: true });
    this.#webSocket = options.webSocket;
    this.#number = options.number;
    this.#protocol = options.protocol;
    this.#clientIsReady = options.clientIsReady;
    this.#onDrain = options.onDrain;
    this.on('error', () => undefined);
  }

  /** The client writes nothing more to this channel. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.push(null);
  }

  abandon(): void {
    this.finished = true;
    if (this.destroyed) return;
    const ended = this.readableEnded && this.writableFinished;
    this.destroy(
      ended ? undefined : Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }),
    );
  }

  override _read(): void {
    this.#onDrain();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { base64 } = this.#protocol;
    const message = base64
      ? `${this.#number}${chunk.toString('base64')}`
      : Buffer.concat([Buffer.from([this.#number]), chunk]);
    void this.#clientIsReady.then(() => this.#webSocket.send(message, { binary: !base64 }, done));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.finished = true;
    this.#onDrain();
    done(error);
  }
}

interface Message {
  channel: number;
  data: Buffer;
  close: boolean;
}

/** Undefined for a message that carries nothing. */
function decodeMessage(raw: RawData, { base64, closeSignals }: ChannelProtocol): Message | undefined {
  const bytes = Buffer.isBuffer(raw) ? raw : Array.isArray(raw) ? Buffer.concat(raw) : Buffer.from(raw);
  const [first, second] = bytes;
  if (first === undefined) return undefined;
  if (base64) {
    const data = Buffer.from(bytes.toString('latin1', 1), 'base64');
    return { channel: first - '0'.charCodeAt(0), data, close: false };
  }
  if (closeSignals && first === closeSignal) {
    return second === undefined ? undefined : { channel: second, data: Buffer.alloc(0), close: true };
  }
  return { channel: first, data: bytes.subarray(1), close: false };
}

/** Reading is paused while at least one channel holds it. */
function pauser(webSocket: WebSocket) {
  const holders = new Set<number>();
  let pongs: NodeJS.Timeout | undefined;
  const resume = () => {
    clearInterval(pongs);
    webSocket.resume();
  };
  return {
    hold(channel: number) {
      if (holders.size === 0) {
        webSocket.pause();
        pongs = setInterval(() => webSocket.pong(), heldPongPeriodMs);
      }
      holders.add(channel);
    },
    release(channel: number) {
      if (holders.delete(channel) && holders.size === 0) resume();
    },
    stop() {
      clearInterval(pongs);
      holders.clear();
    },
  };
}
