import { decodeControl, decodeHead, frameHeadBytes, isFin } from './frames.ts';
import type { Frame } from './frames.ts';

/** Header blocks of this protocol have some hundred bytes; a peer that sends more wants memory. */
const controlLimitBytes = 256 * 1024;

/**
 * Cuts a byte stream into frames. A data frame is given out in pieces as its bytes arrive (`fin` on the last one), so that
 * its length, up to 16 MiB, costs no memory. Ends with the source; throws at bytes that are no SPDY/3.1.
 */
export async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let buffered: Buffer = Buffer.alloc(0);
  /** Of the data frame that is being passed on. */
  let data: { streamId: number; fin: boolean; left: number } | undefined;
  for await (const chunk of source) {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    for (;;) {
      if (data !== undefined) {
        const piece = buffered.subarray(0, data.left);
        buffered = buffered.subarray(piece.length);
        data.left -= piece.length;
        const done = data.left === 0;
        if (piece.length > 0 || done) {
          yield { kind: 'data', streamId: data.streamId, data: piece, fin: done && data.fin };
        }
        if (!done) break;
        data = undefined;
      }
      if (buffered.length < frameHeadBytes) break;
      const head = decodeHead(buffered);
      if (head.control) {
        if (head.lengthBytes > controlLimitBytes) throw new Error('spdy: control frame is too long');
        const end = frameHeadBytes + head.lengthBytes;
        if (buffered.length < end) break;
        const payload = buffered.subarray(frameHeadBytes, end);
        buffered = buffered.subarray(end);
        yield decodeControl(head, payload);
      } else {
        buffered = buffered.subarray(frameHeadBytes);
        data = { streamId: head.streamId, fin: isFin(head), left: head.lengthBytes };
      }
    }
  }
}
