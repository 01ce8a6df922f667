import { createInflate } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';

/** Header names in lower case; a header that came several times has its values joined by a zero byte, as on the wire. */
export type SpdyHeaders = Record<string, string>;

/** More than any header of this protocol needs, and little enough for a bomb to do no harm. */
const inflatedLimitBytes = 1024 * 1024;

/** One name/value header block (SPDY/3.1, 2.6.10): a count, then names and values, each with its length in four bytes. */
export function encodeHeaders(headers: SpdyHeaders): Buffer {
  const pairs = Object.entries(headers);
  const strings = pairs
    .flatMap(([name, value]) => [name.toLowerCase(), value])
    .map((text) => Buffer.from(text));
  return Buffer.concat([uint32(pairs.length), ...strings.flatMap((text) => [uint32(text.length), text])]);
}

/** Reads a header block. Throws when lengths lead out of it. */
export function decodeHeaders(block: Buffer): SpdyHeaders {
  const headers: SpdyHeaders = {};
  let offset = 0;
  const readLength = () => {
    if (offset + 4 > block.length) throw new Error('spdy: header block ends too early');
    offset += 4;
    return block.readUInt32BE(offset - 4);
  };
  const readText = () => {
    const length = readLength();
    if (offset + length > block.length) throw new Error('spdy: header block ends too early');
    offset += length;
    return block.toString('utf8', offset - length, offset);
  };
  for (let left = readLength(); left > 0; left -= 1) {
    const name = readText();
    headers[name] = readText();
  }
  return headers;
}

/**
 * Decompresses the header blocks of one direction of a connection, in their order: it is one zlib stream over the
 * whole life of the connection, flushed at the end of each block.
 */
export class HeaderInflater {
  readonly #inflate = createInflate({ dictionary: headerDictionary });
  #chunks: Buffer[] = [];
  #length = 0;
  #failure: Error | undefined;

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#inflate.on('error', (error) => (this.#failure = error));
  }

  /** Throws when the block is not zlib's, or is too long. */
  async inflate(block: Buffer): Promise<Buffer> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#inflate.once('close', resolve);
    // The callback comes after everything that this block holds was emitted.
    this.#inflate.write(block, () => resolve());
    await promise;
    this.#inflate.off('close', resolve);
    if (this.#failure !== undefined)
      throw new Error(`spdy: ${this.#failure.message}`, { cause: this.#failure });
    const inflated = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#length = 0;
    return inflated;
  }

  close(): void {
    this.#inflate.close();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length > inflatedLimitBytes) this.#inflate.destroy(new Error('header block is too long'));
  }
}

/**
 * Wraps the header blocks of one direction as a zlib stream of stored blocks (RFC 1950 and RFC 1951, 3.2.4). We answer with few
 * and tiny headers, and what is stored needs neither a compressor's state nor its waiting.
 */
export class HeaderDeflater {
  #started = false;

  deflate(block: Buffer): Buffer {
    // 0x78 0x01: deflate with a window of 32 KiB, no preset dictionary, fastest.
    const start = this.#started ? [] : [Buffer.from([0x78, 0x01])];
    this.#started = true;
    const stored: Buffer[] = [];
    for (let offset = 0; offset < block.length; offset += 0xffff) {
      stored.push(storedBlock(block.subarray(offset, offset + 0xffff)));
    }
    // An empty block is zlib's flush: without it some decompressors keep what they have until the next block comes.
    return Buffer.concat([...start, ...stored, storedBlock(Buffer.alloc(0))]);
  }
}

function storedBlock(content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(content.length, 1);
  head.writeUInt16LE(~content.length & 0xffff, 3);
  return Buffer.concat([head, content]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
