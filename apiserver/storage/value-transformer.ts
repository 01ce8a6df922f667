import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Turns an object's JSON into the bytes that the store keeps, and back. `key` is the store key. */
export interface ValueTransformer {
  toStore(json: string, key: string): Buffer;
  /** Throws Error naming the key when the bytes cannot be read. */
  fromStore(value: Buffer, key: string): string;
}

/** Keeps JSON as it is. */
export const plainValues: ValueTransformer = {
  toStore: (json) => Buffer.from(json),
  fromStore: (value) => value.toString(),
};

const PREFIX = Buffer.from('k8s:enc:aesgcm:v1:podwright:');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM with the store key as authenticated data, so that a value moved to another key is refused.
 * Layout: prefix, 12-byte nonce, ciphertext, 16-byte tag (the shape of upstream's `aesgcm` provider).
 */
export function encryptedValues(secret: Uint8Array): ValueTransformer {
  return {
    toStore: (json, key) => seal({ secret, key, json }),
    fromStore: (value, key) => open({ secret, key, value }),
  };
}

function seal({ secret, key, json }: { secret: Uint8Array; key: string; json: string }): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(Buffer.from(key));
  const sealed = Buffer.concat([cipher.update(json, 'utf8'), cipher.final()]);
  return Buffer.concat([PREFIX, nonce, sealed, cipher.getAuthTag()]);
}

function open({ secret, key, value }: { secret: Uint8Array; key: string; value: Buffer }): string {
  if (!value.subarray(0, PREFIX.length).equals(PREFIX)) throw new Error(`decrypt ${key}: unknown prefix`);
  const nonce = value.subarray(PREFIX.length, PREFIX.length + NONCE_BYTES);
  const sealed = value.subarray(PREFIX.length + NONCE_BYTES, value.length - TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', secret, nonce)
    .setAAD(Buffer.from(key))
    .setAuthTag(value.subarray(value.length - TAG_BYTES));
  return decipher.update(sealed, undefined, 'utf8') + decipher.final('utf8');
}
