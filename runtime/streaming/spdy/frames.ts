/** The frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy, 2.2 and 2.6); header blocks are still, or already, compressed. */
export type Frame =
  | { kind: 'data'; streamId: number; data: Buffer; fin: boolean }
  | { kind: 'syn-stream'; streamId: number; block: Buffer; fin: boolean; unidirectional: boolean }
  | { kind: 'syn-reply'; streamId: number; block: Buffer; fin: boolean }
  | { kind: 'headers'; streamId: number; block: Buffer; fin: boolean }
  | { kind: 'rst-stream'; streamId: number; status: number }
  | { kind: 'settings' }
  | { kind: 'ping'; id: number }
  | { kind: 'goaway'; lastStreamId: number; status: number }
  | { kind: 'window-update'; streamId: number; delta: number }
  | { kind: 'unknown'; type: number };

/** Status codes of RST_STREAM (2.6.3). */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
};

const version = 3;
const flagFin = 0x01;
const flagUnidirectional = 0x02;
const type = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  headers: 8,
  windowUpdate: 9,
};

export const frameHeadBytes = 8;

/** Head and payload of a frame as one buffer, ready to be written. */
export function encodeFrame(frame: Exclude<Frame, { kind: 'settings' | 'unknown' }>): Buffer {
  switch (frame.kind) {
    case 'data':
      return Buffer.concat([dataHead(frame), frame.data]);
    case 'syn-stream':
      return synStream(frame);
    case 'syn-reply':
      return control(type.synReply, [uint32(frame.streamId), frame.block], finFlag(frame));
    case 'headers':
      return control(type.headers, [uint32(frame.streamId), frame.block], finFlag(frame));
    case 'rst-stream':
      return control(type.rstStream, [uint32(frame.streamId), uint32(frame.status)]);
    case 'ping':
      return control(type.ping, [uint32(frame.id)]);
    case 'goaway':
      return control(type.goaway, [uint32(frame.lastStreamId), uint32(frame.status)]);
    case 'window-update':
      return control(type.windowUpdate, [uint32(frame.streamId), uint32(frame.delta)]);
  }
}

export interface FrameHead {
  control: boolean;
  /** Of the payload that follows the 8 bytes of the head. */
  lengthBytes: number;
  flags: number;
  /** A data frame's. */
  streamId: number;
  /** A control frame's. */
  type: number;
  version: number;
}

/** Reads the 8 bytes that every frame begins with. */
export function decodeHead(bytes: Buffer): FrameHead {
  const first = bytes.readUInt32BE(0);
  const rest = bytes.readUInt32BE(4);
  return {
    control: first >>> 31 === 1,
    lengthBytes: rest & 0xffffff,
    flags: rest >>> 24,
    streamId: first & 0x7fffffff,
    type: first & 0xffff,
    version: (first >>> 16) & 0x7fff,
  };
}

/** Reads the payload of a control frame. Throws when it is of another version or too short. */
export function decodeControl(head: FrameHead, payload: Buffer): Frame {
  if (head.version !== version) throw new Error(`spdy: version ${head.version} is not supported`);
  const fin = (head.flags & flagFin) !== 0;
  const number = (offset: number) => {
    if (payload.length < offset + 4) throw new Error(`spdy: frame of type ${head.type} is too short`);
    return payload.readUInt32BE(offset);
  };
  const streamId = () => number(0) & 0x7fffffff;
  switch (head.type) {
    case type.synStream: {
      if (payload.length < 10) throw new Error('spdy: frame of type 1 is too short');
      const unidirectional = (head.flags & flagUnidirectional) !== 0;
      return { kind: 'syn-stream', streamId: streamId(), block: payload.subarray(10), fin, unidirectional };
    }
    case type.synReply:
      return { kind: 'syn-reply', streamId: streamId(), block: payload.subarray(4), fin };
    case type.headers:
      return { kind: 'headers', streamId: streamId(), block: payload.subarray(4), fin };
    case type.rstStream:
      return { kind: 'rst-stream', streamId: streamId(), status: number(4) };
    case type.settings:
      return { kind: 'settings' };
    case type.ping:
      return { kind: 'ping', id: number(0) };
    case type.goaway:
      return { kind: 'goaway', lastStreamId: streamId(), status: payload.length < 8 ? 0 : number(4) };
    case type.windowUpdate:
      return { kind: 'window-update', streamId: streamId(), delta: number(4) & 0x7fffffff };
    default:
      return { kind: 'unknown', type: head.type };
  }
}

/** Whether a data frame is its stream's last. */
export const isFin = ({ flags }: FrameHead): boolean => (flags & flagFin) !== 0;

function dataHead({ streamId, data, fin }: { streamId: number; data: Buffer; fin: boolean }): Buffer {
  return Buffer.concat([uint32(streamId), uint32(((fin ? flagFin : 0) << 24) | data.length)]);
}

function synStream(frame: Extract<Frame, { kind: 'syn-stream' }>): Buffer {
  const flags = finFlag(frame) | (frame.unidirectional ? flagUnidirectional : 0);
  // Not associated to another stream; priority and slot 0.
  return control(type.synStream, [uint32(frame.streamId), uint32(0), Buffer.alloc(2), frame.block], flags);
}

function control(frameType: number, parts: Buffer[], flags = 0): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt32BE(((0x8000 | version) * 0x10000 + frameType) >>> 0, 0);
  head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

const finFlag = ({ fin }: { fin: boolean }): number => (fin ? flagFin : 0);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
