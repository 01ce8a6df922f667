/** A field as it stands on the wire (https://protobuf.dev/programming-guides/encoding). */
export interface WireField {
  number: number;
  value: bigint | Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** The bytes are no protobuf message. */
export class WireError extends Error {}

/** Reads the fields of a message in their order. Throws WireError. */
export function* readFields(bytes: Buffer): Generator<WireField> {
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const tag = Number(readVarint(reader));
    if (tag >>> 3 === 0) throw new WireError(`proto: illegal tag 0 (wire type ${tag})`);
    yield { number: tag >>> 3, value: readValue(reader, tag & 7) };
  }
}

interface Reader {
  bytes: Buffer;
  at: number;
}

function readValue(reader: Reader, type: number): bigint | Buffer {
  switch (type) {
    case VARINT:
      return readVarint(reader);
    case FIXED64:
      return take(reader, 8);
    case BYTES:
      return take(reader, Number(readVarint(reader)));
    case FIXED32:
      return take(reader, 4);
    default:
      throw new WireError(`proto: illegal wireType ${type}`);
  }
}

function take(reader: Reader, length: number): Buffer {
  const end = reader.at + length;
  if (end > reader.bytes.length) throw new WireError('unexpected EOF');
  const slice = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return slice;
}

function readVarint(reader: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new WireError('unexpected EOF');
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new WireError('proto: integer overflow');
}
