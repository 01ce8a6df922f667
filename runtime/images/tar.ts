import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** An entry of a tar archive. */
export interface TarEntry {
  name: string;
  /** The type flag of the header: `0` file, `1` hard link, `2` symbolic link, `5` directory, `3` and `4` devices. */
  type: string;
  linkName: string;
  sizeBytes: number;
  /** The file's bytes, for entries that `wanted` asked for. */
  content: Buffer | undefined;
}

const blockBytes = 512;

/**
 * Reads the entries of a tar file, plain or compressed by gzip or zstd (told by its first bytes). Names longer than a header
 * holds are put together from PAX and GNU records (tar(5)). Throws when it is no tar archive or ends too early.
 */
export async function* readTar(
  path: string,
  { wanted = () => false }: { wanted?: (name: string) => boolean } = {},
): AsyncGenerator<TarEntry> {
  const source = new ByteSource(await openDecompressed(path), path);
  const extended: Extended = {};
  for (;;) {
    const block = await source.take(blockBytes, { orEnd: true });
    if (block === undefined || block.every((byte) => byte === 0)) return source.close();
    const header = parseHeader(block, path);
    if (await readExtended(source, header, extended)) continue;
    const entry = { ...header, ...extended };
    for (const key of ['name', 'linkName', 'sizeBytes'] as const) delete extended[key];
    const padded = padding(entry.sizeBytes);
    const content = wanted(entry.name) ? await source.take(entry.sizeBytes) : undefined;
    if (content === undefined) await source.skip(entry.sizeBytes);
    await source.skip(padded, { orEnd: true }); // umoci leaves out the zeros after the last entry
    yield { ...entry, content };
  }
}

type Extended = Partial<Pick<TarEntry, 'name' | 'linkName' | 'sizeBytes'>>;
type Header = Omit<TarEntry, 'content'>;

const padding = (sizeBytes: number): number => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

function parseHeader(block: Buffer, path: string): Header {
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  if (sum !== number(block.subarray(148, 156))) throw new Error(`${path}: not a tar archive`);
  const prefix = text(block.subarray(257, 262)) === 'ustar' ? text(block.subarray(345, 500)) : '';
  const name = text(block.subarray(0, 100));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] || 0x30),
    linkName: text(block.subarray(157, 257)),
    sizeBytes: number(block.subarray(124, 136)),
  };
}

/** Takes in a record that tells more about the next entry; true when the header was one. */
async function readExtended(source: ByteSource, header: Header, extended: Extended): Promise<boolean> {
  if (!'xgLK'.includes(header.type)) return false;
  const data = (await source.take(header.sizeBytes)) ?? Buffer.alloc(0);
  await source.skip(padding(header.sizeBytes));
  if (header.type === 'L') extended.name = text(data);
  if (header.type === 'K') extended.linkName = text(data);
  if (header.type === 'x') Object.assign(extended, paxRecords(data));
  return true;
}

function paxRecords(data: Buffer): Extended {
  const records: Extended = {};
  for (let offset = 0; offset < data.length;) {
    const length = parseInt(data.toString('utf8', offset, data.indexOf(0x20, offset)), 10);
    if (!(length > 0)) break;
    const [, key, value] = /^\d+ ([^=]+)=(.*)\n$/s.exec(data.toString('utf8', offset, offset + length)) ?? [];
    if (key === 'path') records.name = value ?? '';
    if (key === 'linkpath') records.linkName = value ?? '';
    if (key === 'size') records.sizeBytes = Number(value);
    offset += length;
  }
  return records;
}

const text = (field: Buffer): string => {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
};

// Octal digits, or big-endian bytes when the first bit is set (GNU).
function number(field: Buffer): number {
  const first = field[0] ?? 0;
  if ((first & 0x80) === 0) return parseInt(text(field).trim() || '0', 8);
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, first & 0x7f);
}

async function openDecompressed(path: string): Promise<Readable> {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
  await file.close();
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const [first, second] = buffer;
  if (first === 0x1f && second === 0x8b) return decompressed(stream, createGunzip());
  if (buffer.readUInt32LE(0) === 0xfd2fb528) return decompressed(stream, createZstdDecompress());
  return stream;
}

function decompressed(stream: Readable, decompressor: NodeJS.ReadWriteStream & Readable): Readable {
  stream.on('error', (error) => decompressor.destroy(error));
  return stream.pipe(decompressor);
}

/** Bytes from a stream in the amounts asked for. */
class ByteSource {
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #path: string;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable, path: string) {
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#path = path;
  }

  async take(count: number): Promise<Buffer>;
  async take(count: number, options: { orEnd: true }): Promise<Buffer | undefined>;
  async take(count: number, { orEnd = false } = {}): Promise<Buffer | undefined> {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < count) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return this.#ended(orEnd && length === 0);
      parts.push(value);
      length += value.length;
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts, length);
    this.#rest = all.subarray(count);
    return all.subarray(0, count);
  }

  async skip(count: number, { orEnd = false } = {}): Promise<void> {
    let left = count - this.#rest.length;
    if (left <= 0) {
      this.#rest = this.#rest.subarray(count);
      return;
    }
    for (;;) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return this.#ended(orEnd);
      if (value.length >= left) {
        this.#rest = value.subarray(left);
        return;
      }
      left -= value.length;
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  #ended(allowed: boolean): undefined {
    if (!allowed) throw new Error(`${this.#path}: tar archive ends too early`);
    return undefined;
  }
}
