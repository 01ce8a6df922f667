import type { Duplex } from 'node:stream';
import { encodeFrame, resetStatus } from './frames.ts';
import type { Frame } from './frames.ts';
import { readFrames } from './frame-reader.ts';
import { decodeHeaders, encodeHeaders, HeaderDeflater, HeaderInflater } from './header-block.ts';
import type { SpdyHeaders } from './header-block.ts';
import { SpdyStream } from './stream.ts';

export interface SpdyConnectionOptions {
  /** The upgraded connection, with everything that came behind the upgrade request already unshifted. */
  socket: Duplex;
  role: 'server' | 'client';
  /** A stream that the peer opened. Return words why not, and it is refused; otherwise it is accepted (SYN_REPLY). */
  onStream: (stream: SpdyStream) => string | undefined;
}

const lingerMs = 10_000;
const heldPingPeriodMs = 2_000;
const windowUpdateBytes = 32 * 1024;

/**
 * One SPDY/3.1 connection: streams over one byte stream, both ways.
 *
 * Flow control: what the other side does in this ecosystem is moby/spdystream, which neither sends window updates nor obeys
 * them. So a sender that kept to the initial window would stop after 64 KiB for ever: we send as fast as the transport takes it, and
 * its back-pressure is the limit. What we receive is acknowledged by window updates for those who keep to them;
 * a stream that nobody reads stops the connection's reading after a buffer of its own.
 */
export class SpdyConnection {
  /** Settled when the connection is over, whatever the reason. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: SpdyConnectionOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #inflater = new HeaderInflater();
  readonly #deflater = new HeaderDeflater();
  #nextStreamId: number;
  #lastPeerStreamId = 0;
  #unacknowledgedBytes = 0;
  #closing = false;

  constructor(options: SpdyConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#nextStreamId = options.role === 'client' ? 1 : 2;
    this.#socket.on('error', () => this.#socket.destroy());
    this.closed = this.#run();
  }

  /** Opens a stream of our own; the peer sees `headers`. */
  openStream(headers: SpdyHeaders): SpdyStream {
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    const stream = this.#addStream(id, headers);
    const block = this.#deflater.deflate(encodeHeaders(headers));
    this.#send({ kind: 'syn-stream', streamId: id, block, fin: false, unidirectional: false });
    return stream;
  }

  /** Says goodbye, flushes what was written, and closes; a peer that does not close its side is cut off after a while. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#send({ kind: 'goaway', lastStreamId: this.#lastPeerStreamId, status: 0 });
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    void this.closed.then(() => clearTimeout(timer));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #run(): Promise<void> {
    try {
      for await (const frame of readFrames(this.#socket as AsyncIterable<Buffer>)) await this.#handle(frame);
    } catch {
      // Bytes that are no SPDY, or a transport that broke: both end the connection, and its streams hear of it below.
    }
    this.#socket.destroy();
    this.#inflater.close();
    for (const stream of this.#streams.values()) stream.disconnect('the connection was closed');
    this.#streams.clear();
  }

  async #handle(frame: Frame): Promise<void> {
    switch (frame.kind) {
      case 'syn-stream':
        return this.#accept(frame);
      case 'data':
        return this.#receiveData(frame);
      case 'syn-reply':
      case 'headers':
        // Nothing in them is of use here, but the compression's state must see them all.
        await this.#inflater.inflate(frame.block);
        if (frame.fin) this.#streams.get(frame.streamId)?.receive(Buffer.alloc(0), { fin: true });
        return undefined;
      case 'rst-stream':
        return this.#streams.get(frame.streamId)?.abandon('the stream was reset by its peer');
      case 'ping':
        return this.#answerPing(frame);
      case 'goaway':
      case 'settings':
      case 'window-update':
      case 'unknown':
        // After GOAWAY no streams come any more; those that are open go on.
        return undefined;
    }
  }

  async #accept({ streamId, block, fin }: Extract<Frame, { kind: 'syn-stream' }>): Promise<void> {
    const headers = decodeHeaders(await this.#inflater.inflate(block));
    const expectedParity = this.#options.role === 'server' ? 1 : 0;
    if (streamId % 2 !== expectedParity || streamId <= this.#lastPeerStreamId) {
      this.#send({ kind: 'rst-stream', streamId, status: resetStatus.protocolError });
      return;
    }
    this.#lastPeerStreamId = streamId;
    const stream = this.#addStream(streamId, headers);
    const refusal = this.#options.onStream(stream);
    if (refusal !== undefined) {
      this.#send({ kind: 'rst-stream', streamId, status: resetStatus.refusedStream });
      stream.abandon(refusal);
      return;
    }
    this.#send({ kind: 'syn-reply', streamId, block: this.#deflater.deflate(encodeHeaders({})), fin: false });
    if (fin) stream.receive(Buffer.alloc(0), { fin: true });
  }

  async #receiveData({ streamId, data, fin }: Extract<Frame, { kind: 'data' }>): Promise<void> {
    const stream = this.#streams.get(streamId);
    if (stream?.receive(data, { fin }) === false) await this.#holdUntilRead(stream);
    this.#unacknowledgedBytes += data.length;
    if (this.#unacknowledgedBytes >= windowUpdateBytes) {
      this.#send({ kind: 'window-update', streamId: 0, delta: this.#unacknowledgedBytes });
      this.#unacknowledgedBytes = 0;
    }
    const delta = stream?.takeUnacknowledged(windowUpdateBytes) ?? 0;
    if (delta > 0 && !fin) this.#send({ kind: 'window-update', streamId, delta });
  }

  /**
   * As long as nothing is read from the socket, its end is not seen either. Pings make the kernel of a peer that has
   * gone answer with a reset, also through proxies, and the next one fails.
   */
  async #holdUntilRead(stream: SpdyStream): Promise<void> {
    if (this.#socket.destroyed) return;
    const pings = setInterval(() => this.#send({ kind: 'ping', id: this.#nextStreamId }), heldPingPeriodMs);
    const reading = Promise.withResolvers<void>();
    this.#socket.once('close', reading.resolve);
    await Promise.race([stream.whenRead(), reading.promise]);
    this.#socket.off('close', reading.resolve);
    clearInterval(pings);
  }

  /** A ping with a number of our own parity is an answer (2.6.5). */
  #answerPing({ id }: Extract<Frame, { kind: 'ping' }>): void {
    const peerParity = this.#options.role === 'server' ? 1 : 0;
    if (id % 2 === peerParity) this.#send({ kind: 'ping', id });
  }

  #addStream(id: number, headers: SpdyHeaders): SpdyStream {
    const carrier = {
      sendData: (
        frame: { streamId: number; data: Buffer; fin: boolean },
        done: (error?: Error | null) => void,
      ) => this.#send({ kind: 'data', ...frame }, done),
      sendReset: (streamId: number) =>
        this.#send({ kind: 'rst-stream', streamId, status: resetStatus.cancel }),
      forget: (streamId: number) => this.#streams.delete(streamId),
    };
    const stream = new SpdyStream({ id, headers, carrier });
    this.#streams.set(id, stream);
    return stream;
  }

  #send(
    frame: Parameters<typeof encodeFrame>[0],
    done: (error?: Error | null) => void = () => undefined,
  ): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      done(Object.assign(new Error('the connection was closed'), { code: 'EPIPE' }));
    } else {
      this.#socket.write(encodeFrame(frame), done);
    }
  }
}
