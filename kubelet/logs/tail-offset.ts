import type { FileHandle } from 'node:fs/promises';

const blockBytes = 64 * 1024;

/** Where the last `lines` lines of a file begin; 0 when all are wanted or there are no more. Reads from the end. */
export async function tailOffset(file: FileHandle, lines: number | undefined): Promise<number> {
  if (lines === undefined || lines < 0) return 0;
  const { size } = await file.stat();
  if (lines === 0) return size;
  let left = lines;
  for (let end = size; end > 0; end -= blockBytes) {
    const start = Math.max(0, end - blockBytes);
    const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    // The newline at the very end closes the last line, it does not begin one.
    const from = end === size ? buffer.length - 2 : buffer.length - 1;
    for (
      let at = buffer.lastIndexOf(0x0a, from);
      at >= 0;
      at = at === 0 ? -1 : buffer.lastIndexOf(0x0a, at - 1)
    ) {
      left -= 1;
      if (left === 0) return start + at + 1;
    }
  }
  return 0;
}
