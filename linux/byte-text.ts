import { isUtf8 } from 'node:buffer';

/**
 * Bytes as text and back without loss: environment variables are bytes to the kernel, and mostly, but not always, UTF-8. A byte that
 * belongs to no character becomes a lone surrogate, U+DC80 to U+DCFF, which no valid UTF-8 decodes to (Python's surrogateescape).
 */
export function textOfBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString();
  const parts: string[] = [];
  for (let at = 0; at < buffer.length;) {
    const length = [1, 2, 3, 4].find((count) => isUtf8(buffer.subarray(at, at + count)));
    parts.push(
      length === undefined
        ? String.fromCharCode(0xdc00 + (buffer[at] ?? 0))
        : buffer.toString('utf8', at, at + length),
    );
    at += length ?? 1;
  }
  return parts.join('');
}

/** The bytes that textOfBytes() made the text of; UTF-8 for any other text. */
export function bytesOfText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const pieces = text.split(/([\u{dc80}-\u{dcff}])/u);
  return Buffer.concat(
    pieces.map((piece, index) =>
      index % 2 === 1 ? Buffer.of(piece.charCodeAt(0) - 0xdc00) : Buffer.from(piece),
    ),
  );
}
