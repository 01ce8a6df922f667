/** Writers of single protobuf fields (https://protobuf.dev/programming-guides/encoding). */

const VARINT = 0;
const BYTES = 2;

/** A number that isn't negative. */
export const varintField = (number: number, value: number): Buffer =>
  Buffer.from([...varint(number * 8 + VARINT), ...varint(value)]);

export const textField = (number: number, text: string): Buffer => bytesField(number, [Buffer.from(text)]);

/** A message, given as its encoded fields. */
export function bytesField(number: number, parts: Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([...varint(number * 8 + BYTES), ...varint(length)]), ...parts]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return [...bytes, value];
}
