import type { Readable } from 'node:stream';
import type { TerminalSize } from './streaming-runtime.ts';

const longestMessage = 1024;

/** Reads a resize stream: JSON objects `{"Width":80,"Height":24}`, one after the other; what is none is passed over. */
export function readTerminalSizes(stream: Readable, listener: (size: TerminalSize) => void): void {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}')) {
      const size = parseSize(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size !== undefined) listener(size);
    }
    if (text.length > longestMessage) text = '';
  });
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    return isCells(Width) && isCells(Height) ? { width: Width, height: Height } : undefined;
  } catch {
    return undefined;
  }
}

/** The kernel's struct winsize has 16 bits for each. */
const isCells = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 0xffff;
