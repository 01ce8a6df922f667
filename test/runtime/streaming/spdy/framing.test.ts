import { createHash } from 'node:crypto';
import { createDeflate, constants } from 'node:zlib';
import type { Deflate } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { headerDictionary } from '../../../../runtime/streaming/spdy/dictionary.ts';
import { readFrames } from '../../../../runtime/streaming/spdy/frame-reader.ts';
import { encodeFrame } from '../../../../runtime/streaming/spdy/frames.ts';
import type { Frame } from '../../../../runtime/streaming/spdy/frames.ts';
import {
  decodeHeaders,
  encodeHeaders,
  HeaderDeflater,
  HeaderInflater,
} from '../../../../runtime/streaming/spdy/header-block.ts';

const streamId = fc.integer({ min: 1, max: 0x7fffffff });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const fin = fc.boolean();
const word = fc.nat(0xffffffff);

const frame = fc.oneof(
  fc.record({ kind: fc.constant('data' as const), streamId, data: bytes, fin }),
  fc.record({
    kind: fc.constant('syn-stream' as const),
    streamId,
    block: bytes,
    fin,
    unidirectional: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('syn-reply' as const), streamId, block: bytes, fin }),
  fc.record({ kind: fc.constant('headers' as const), streamId, block: bytes, fin }),
  fc.record({ kind: fc.constant('rst-stream' as const), streamId, status: word }),
  fc.record({ kind: fc.constant('ping' as const), id: word }),
  fc.record({ kind: fc.constant('goaway' as const), lastStreamId: streamId, status: word }),
  fc.record({ kind: fc.constant('window-update' as const), streamId, delta: streamId }),
);

const headers = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z-]{0,20}$/).filter((name) => name !== '__proto__'),
  fc.string({ maxLength: 40 }),
  { maxKeys: 6, noNullPrototype: true },
);

test('frames survive any cutting of the byte stream', async (t) => {
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 8 }), cuts, async (frames, sizes) => {
      const wire = Buffer.concat(frames.map((one) => encodeFrame(one)));
      t.deepEqual(joined(await collect(cut(wire, sizes))), joined(frames));
    }),
    { numRuns: 300 },
  );
});

test('any bytes end in frames or in an error, never in a hang or with memory gone', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (array) => {
      const read = await collect([Buffer.from(array)]).catch((error: Error) => error.message);
      t.true(Array.isArray(read) || read.startsWith('spdy: '));
    }),
    { numRuns: 500 },
  );
});

test('a control frame that claims 16 MiB is refused from its head', async (t) => {
  const head = Buffer.from('8003000100ffffff', 'hex');
  await t.throwsAsync(() => collect([head]), { message: 'spdy: control frame is too long' });
});

test('a data frame is passed on in pieces, fin on its last', async (t) => {
  const wire = encodeFrame({ kind: 'data', streamId: 1, data: Buffer.from('abcdef'), fin: true });
  const pieces = await collect([wire.subarray(0, 10), wire.subarray(10)]);
  t.deepEqual(pieces, [
    { kind: 'data', streamId: 1, data: Buffer.from('ab'), fin: false },
    { kind: 'data', streamId: 1, data: Buffer.from('cdef'), fin: true },
  ]);
});

test('the dictionary is the one of SPDY/3', (t) => {
  t.is(headerDictionary.length, 1423);
  t.is(createHash('sha1').update(headerDictionary).digest('hex'), 'd68ca9b208de9c3754703445a22cf668a5abebb3');
});

test('header blocks of a real compressor with the dictionary are read one after the other', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(headers, { minLength: 1, maxLength: 5 }), async (blocks) => {
      const deflate = createDeflate({ dictionary: headerDictionary });
      const inflater = new HeaderInflater();
      for (const block of blocks) {
        const compressed = await flushed(deflate, encodeHeaders(block));
        t.deepEqual(decodeHeaders(await inflater.inflate(compressed)), block);
      }
      inflater.close();
      deflate.close();
    }),
    { numRuns: 50 },
  );
});

test('header blocks that we store are read by an inflater', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(headers, { minLength: 1, maxLength: 5 }), async (blocks) => {
      const deflater = new HeaderDeflater();
      const inflater = new HeaderInflater();
      for (const block of blocks) {
        const inflated = await inflater.inflate(deflater.deflate(encodeHeaders(block)));
        t.deepEqual(decodeHeaders(inflated), block);
      }
      inflater.close();
    }),
    { numRuns: 50 },
  );
});

test('a header block that swells, and one that is no zlib, are refused', async (t) => {
  const bomb = await flushed(createDeflate({ dictionary: headerDictionary }), Buffer.alloc(8 * 1024 * 1024));
  await t.throwsAsync(() => new HeaderInflater().inflate(bomb), {
    message: 'spdy: header block is too long',
  });
  await t.throwsAsync(() => new HeaderInflater().inflate(Buffer.from('no zlib')), {
    message: 'spdy: incorrect header check',
  });
});

test('a header block with lengths that lead out of it is refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (array) => {
      try {
        decodeHeaders(Buffer.from(array));
      } catch (error) {
        t.is((error as Error).message, 'spdy: header block ends too early');
      }
    }),
  );
  t.throws(() => decodeHeaders(Buffer.from('ffffffff', 'hex')), {
    message: 'spdy: header block ends too early',
  });
});

async function collect(chunks: Buffer[]): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const one of readFrames(asyncly(chunks))) frames.push(one);
  return frames;
}

async function* asyncly(chunks: Buffer[]) {
  yield* chunks;
}

function cut(wire: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let offset = 0, index = 0; offset < wire.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    chunks.push(wire.subarray(offset, offset + size));
    offset += size;
  }
  return chunks;
}

/** Pieces of one data frame put together again; a frame without fin goes on in the next one of its stream. */
function joined(frames: Frame[]): Frame[] {
  const result: Frame[] = [];
  for (const one of frames) {
    const last = result.at(-1);
    if (one.kind === 'data' && last?.kind === 'data' && last.streamId === one.streamId && !last.fin) {
      result[result.length - 1] = { ...one, data: Buffer.concat([last.data, one.data]) };
    } else {
      result.push(one.kind === 'data' ? { ...one, data: Buffer.from(one.data) } : one);
    }
  }
  return result;
}

async function flushed(deflate: Deflate, content: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer) => chunks.push(chunk);
  deflate.on('data', take);
  deflate.write(content);
  await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()));
  deflate.off('data', take);
  return Buffer.concat(chunks);
}
