import { isDeepStrictEqual } from 'node:util';
import { goJson, quote } from '../go-format.ts';
import { badRequest, entityTooLarge } from '../status.ts';
import { copyJson, isObject, ownValue, setOwnValue } from './json-value.ts';
import type { JsonObject } from './json-value.ts';

/** What can't be done to this document. The words are those of upstream's library (evanphx/json-patch v4). */
export class JsonPatchError extends Error {
  override name = 'JsonPatchError';
}

const maxOperations = 10_000;

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

/** The document under its only key, so that the empty pointer too has a parent. */
interface Root {
  document: unknown;
}

/**
 * Applies a JSON patch (RFC 6902) and returns the new document; the old one stays as it is. All operations or none.
 * Throws a StatusError (400, 413) for what is no patch, and JsonPatchError for one that doesn't apply.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  const root: Root = { document: copyJson(document) };
  for (const operation of operations) applyOperation(root, operation);
  return root.document;
}

function readOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goTypeOf(patch)} into Go value of type []handlers.jsonPatchOp`,
    );
  if (patch.length > maxOperations)
    throw entityTooLarge(
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  return patch.map((operation: unknown) => {
    if (!isObject(operation))
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${goTypeOf(operation)} into Go value of type handlers.jsonPatchOp`,
      );
    return operation as unknown as Operation;
  });
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function applyOperation(root: Root, operation: Operation): void {
  const { op, path } = operation;
  if (typeof path !== 'string')
    throw new JsonPatchError(`${op} operation failed to decode path: missing value`);
  switch (op) {
    case 'add':
      return add(root, path, valueOf(operation), op);
    case 'remove':
      return void remove(root, path, op);
    case 'replace':
      return replace(root, path, valueOf(operation));
    case 'move':
      return add(root, path, remove(root, fromOf(operation), op), op);
    case 'copy':
      return add(root, path, copyJson(find(root, fromOf(operation), op)), op);
    case 'test':
      return test(root, path, operation.value ?? null);
    default:
      throw new JsonPatchError(`Unexpected kind: ${op}`);
  }
}

function valueOf(operation: Operation): unknown {
  if (!Object.hasOwn(operation, 'value'))
    throw new JsonPatchError('operation, missing value field: missing value');
  return copyJson(operation.value);
}

function fromOf({ op, from, path }: Operation): string {
  if (typeof from !== 'string')
    throw new JsonPatchError(`${op} operation failed to decode from: missing value`);
  // RFC 6902, section 4.4: a value can't be moved into itself.
  if (op === 'move' && path.startsWith(`${from}/`))
    throw new JsonPatchError(`move operation does not apply: ${quote(path)} is inside ${quote(from)}`);
  return from;
}

function add(root: Root, path: string, value: unknown, op: string): void {
  const { parent, key } = locate(root, path, op);
  if (!Array.isArray(parent)) return setOwnValue(parent, key, value);
  const index = key === '-' ? parent.length : indexOf(key, parent.length, path, op);
  parent.splice(index, 0, value);
}

function remove(root: Root, path: string, op: string): unknown {
  const { parent, key } = locate(root, path, op);
  if (Array.isArray(parent)) return parent.splice(indexOf(key, parent.length - 1, path, op), 1)[0];
  if (!Object.hasOwn(parent, key))
    throw new JsonPatchError(
      `error in ${op} for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
    );
  const value = parent[key];
  delete parent[key];
  return value;
}

function replace(root: Root, path: string, value: unknown): void {
  const { parent, key } = locate(root, path, 'replace');
  if (Array.isArray(parent)) parent[indexOf(key, parent.length - 1, path, 'replace')] = value;
  // The RFC wants a key that is there; upstream's library doesn't ask, and external-snapshotter lives on that.
  else setOwnValue(parent, key, value);
}

function test(root: Root, path: string, expected: unknown): void {
  const { parent, key } = locate(root, path, 'test');
  const actual = Array.isArray(parent)
    ? parent[indexOf(key, parent.length - 1, path, 'test')]
    : ownValue(parent, key);
  // A missing key equals null, as upstream's library has it.
  if (!isDeepStrictEqual(actual ?? null, expected))
    throw new JsonPatchError(`testing value ${path} failed: test failed`);
}

function find(root: Root, path: string, op: string): unknown {
  const { parent, key } = locate(root, path, op);
  if (Array.isArray(parent)) return parent[indexOf(key, parent.length - 1, path, op)];
  if (Object.hasOwn(parent, key)) return parent[key];
  throw new JsonPatchError(
    `${op} operation does not apply: doc is missing from path: ${path}: missing value`,
  );
}

/** The container of the value that a JSON pointer (RFC 6901) names, and the value's key in it. */
function locate(root: Root, path: string, op: string): { parent: JsonObject | unknown[]; key: string } {
  if (path !== '' && !path.startsWith('/')) throw missingPath(op, path);
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop();
  if (last === undefined) return { parent: root as unknown as JsonObject, key: 'document' };
  let parent = root.document;
  for (const key of keys) {
    if (Array.isArray(parent)) parent = parent[indexOf(key, parent.length - 1, path, op)];
    else parent = isObject(parent) ? ownValue(parent, key) : undefined;
  }
  if (!Array.isArray(parent) && !isObject(parent)) throw missingPath(op, path);
  return { parent, key: last };
}

function missingPath(op: string, path: string): JsonPatchError {
  return new JsonPatchError(
    `${op} operation does not apply: doc is missing path: ${quote(path)}: missing value`,
  );
}

/** The index that a key names in a list whose last is `last`; -1 is the last, as upstream's library has it. */
function indexOf(key: string, last: number, path: string, op: string): number {
  if (!/^(0|-?[1-9]\d*)$/.test(key))
    throw new JsonPatchError(
      `error in ${op} for path: '${path}': value was not a proper array index: '${key}'`,
    );
  const index = Number(key);
  if (index > last || index < -last - 1)
    throw new JsonPatchError(
      `error in ${op} for path: '${path}': Unable to access invalid index: ${goJson(index)}: invalid index referenced`,
    );
  return index < 0 ? last + 1 + index : index;
}
