/** The state of one key. */
export interface Stored {
  value: Buffer;
  createRevision: number;
  modRevision: number;
  version: number;
}

/** One change: the key's state before and after it. */
export interface Change {
  key: string;
  before?: Stored;
  after?: Stored;
}

const STATE_HEADER = 24;
const CHANGE_HEADER = 8;
const NONE = 0xffffffff;

/** createRevision, modRevision, version (doubles), then the value. */
export function encodeState({ createRevision, modRevision, version, value }: Stored): Buffer {
  const bytes = Buffer.allocUnsafe(STATE_HEADER + value.length);
  bytes.writeDoubleBE(createRevision, 0);
  bytes.writeDoubleBE(modRevision, 8);
  bytes.writeDoubleBE(version, 16);
  value.copy(bytes, STATE_HEADER);
  return bytes;
}

export function decodeState(bytes: Buffer): Stored {
  return {
    createRevision: bytes.readDoubleBE(0),
    modRevision: bytes.readDoubleBE(8),
    version: bytes.readDoubleBE(16),
    value: bytes.subarray(STATE_HEADER),
  };
}

/** Length of the key, length of the state before (all ones when there was none), key, state before, state after. */
export function encodeChange({ key, before, after }: Change): Buffer {
  const keyBytes = Buffer.from(key);
  const beforeBytes = before === undefined ? undefined : encodeState(before);
  const header = Buffer.allocUnsafe(CHANGE_HEADER);
  header.writeUInt32BE(keyBytes.length, 0);
  header.writeUInt32BE(beforeBytes?.length ?? NONE, 4);
  return Buffer.concat([
    header,
    keyBytes,
    ...(beforeBytes === undefined ? [] : [beforeBytes]),
    ...(after === undefined ? [] : [encodeState(after)]),
  ]);
}

export function decodeChange(bytes: Buffer): Change {
  const keyEnd = CHANGE_HEADER + bytes.readUInt32BE(0);
  const beforeLength = bytes.readUInt32BE(4);
  const beforeEnd = keyEnd + (beforeLength === NONE ? 0 : beforeLength);
  return {
    key: bytes.toString('utf8', CHANGE_HEADER, keyEnd),
    ...(beforeLength !== NONE && { before: decodeState(bytes.subarray(keyEnd, beforeEnd)) }),
    ...(bytes.length > beforeEnd && { after: decodeState(bytes.subarray(beforeEnd)) }),
  };
}
