import { Duplex } from 'node:stream';
import type { SpdyHeaders } from './header-block.ts';

/** What a stream asks of its connection. */
export interface StreamCarrier {
  sendData: (
    frame: { streamId: number; data: Buffer; fin: boolean },
    done: (error?: Error | null) => void,
  ) => void;
  sendReset: (streamId: number) => void;
  forget: (streamId: number) => void;
}

/** How much of a stream may wait to be read before the whole connection waits. */
const receiveBufferBytes = 1024 * 1024;
const longestDataFrameBytes = 64 * 1024;

/**
 * One stream of a SPDY connection as a Duplex: `end()` is the half-close (FIN), `destroy()` resets it (RST_STREAM). It
 * is forgotten by its connection when both sides have ended.
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #carrier: StreamCarrier;
  #drained: (() => void)[] = [];
  #unacknowledgedBytes = 0;
  #receivedFin = false;
  #sentFin = false;
  #wasReset = false;

  constructor({ id, headers, carrier }: { id: number; headers: SpdyHeaders; carrier: StreamCarrier }) {
    super({ allowHalfOpen: true, readableHighWaterMark: receiveBufferBytes, autoDestroy: true });
    this.id = id;
    this.headers = headers;
    this.#carrier = carrier;
    // A client that goes away is no accident; who cares for the reason listens for itself.
    this.on('error', () => undefined);
  }

  /** Takes what the peer has sent; false when nothing more should be taken before `whenRead`. */
  receive(data: Buffer, { fin }: { fin: boolean }): boolean {
    if (this.destroyed || this.#receivedFin) return true;
    this.#unacknowledgedBytes += data.length;
    const roomLeft = data.length === 0 || this.push(data);
    if (fin) {
      this.#receivedFin = true;
      this.push(null);
    }
    return roomLeft || fin;
  }

  /** Settled when there is room again, or the stream is over. */
  whenRead(): Promise<void> {
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** The bytes to tell the peer of by a window update, once they are `atLeast` so many; else 0. */
  takeUnacknowledged(atLeast: number): number {
    if (this.#unacknowledgedBytes < atLeast) return 0;
    const bytes = this.#unacknowledgedBytes;
    this.#unacknowledgedBytes = 0;
    return bytes;
  }

  /** The connection is gone. What the peer had sent to its end before can still be read. */
  disconnect(reason: string): void {
    const isUnread = this.#receivedFin && !this.readableEnded;
    if (!isUnread) this.abandon(reason);
    else this.once('end', () => this.abandon(reason));
  }

  /** The peer has reset the stream. */
  abandon(reason: string): void {
    this.#wasReset = true;
    this.destroy(Object.assign(new Error(reason), { code: 'ECONNRESET' }));
  }

  override _read(): void {
    this.#letGo();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const data = chunk.subarray(0, longestDataFrameBytes);
    const rest = chunk.subarray(longestDataFrameBytes);
    this.#carrier.sendData({ streamId: this.id, data, fin: false }, (error) => {
      if (error || rest.length === 0) done(error);
      else this._write(rest, _encoding, done);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sentFin = true;
    this.#carrier.sendData({ streamId: this.id, data: Buffer.alloc(0), fin: true }, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#letGo();
    this.#carrier.forget(this.id);
    if (!this.#wasReset && !(this.#sentFin && this.#receivedFin)) this.#carrier.sendReset(this.id);
    done(error);
  }

  #letGo(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resume of waiting) resume();
  }
}
