import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import { definitions } from '../../api/openapi.ts';
import { decodeProtobuf } from '../protobuf/decode.ts';
import { StatusError } from '../../api/status.ts';
import { duplicateFields } from './repeated-keys.ts';
import { badRequest, entityTooLarge, unsupportedMediaType } from './errors.ts';

/** What typed clients send, behind a prefix of its own. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** As upstream's default for resource requests. */
const BODY_LIMIT_BYTES = 3 * 1024 * 1024;

/** A decoded body and what a strict reading found wrong with its text (duplicate keys). */
export interface DecodedBody {
  value: unknown;
  strictErrors: string[];
  /** The text, if it is JSON. */
  json?: string;
}

/** Reads a request's body into memory. Throws 413 beyond 3 MiB, and 400 for a body that breaks off. */
export async function readBody(
  request: Readable & { headers: IncomingHttpHeaders; aborted?: boolean },
): Promise<Buffer> {
  const source = request.headers['content-encoding'] === 'gzip' ? unzipped(request) : request;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > BODY_LIMIT_BYTES) throw entityTooLarge(`limit is ${BODY_LIMIT_BYTES}`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof StatusError) throw error;
    // The client broke off, or what it sent is not gzip.
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
  // Over HTTP/2 a body that breaks off ends as if it were whole: a deletion would lose its options, a manifest its end.
  if (request.aborted === true) throw badRequest('the client broke off its request');
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function unzipped(request: Readable): Readable {
  const source = request.pipe(createGunzip());
  // A pipe passes no error on: who broke off would be waited for for ever.
  request.once('error', (error) => source.destroy(error));
  return source;
}

/** The media type of a Content-Type header in lower case, without parameters. */
export const mediaTypeOf = (header: string | undefined): string =>
  (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/**
 * Decodes JSON or YAML by content type (JSON when none is given).
 * Throws 415 for another type and 400 for malformed text.
 */
export function decodeBody(body: Buffer, contentType: string | undefined): DecodedBody {
  const type = mediaTypeOf(contentType);
  if (type === '' || type === 'application/json') return parseStrictJson(body.toString());
  if (type === 'application/yaml' || type === 'application/apply-patch+yaml')
    return parseYaml(body.toString());
  if (type === PROTOBUF) return { value: parseProtobuf(body), strictErrors: [] };
  throw unsupportedMediaType();
}

/** kubectl's own create commands and client-go's typed clients send protobuf. */
function parseProtobuf(body: Buffer): unknown {
  try {
    return decodeProtobuf(body, definitions);
  } catch (error) {
    // Whatever was wrong with the bytes, the client sent them.
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function parseStrictJson(text: string): DecodedBody {
  const value = parseJson(text, "couldn't get version/kind; json parse error");
  return { value, strictErrors: duplicateFields(text), json: text };
}

/** Parses a patch in JSON. Throws 400. */
export const parsePatch = (text: string): unknown => parseJson(text, 'error decoding patch');

function parseJson(text: string, fault: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(`${fault}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Parses YAML 1.2; a repeated key keeps the last value and is a strict error. Throws 400 for malformed text. */
function parseYaml(text: string): DecodedBody {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: false, logLevel: 'silent', lineCounter });
  const [error] = document.errors;
  if (error !== undefined)
    throw badRequest(`error converting YAML to JSON: yaml: ${error.message.split('\n', 1)[0] ?? ''}`);
  const repeated = repeatedYamlKeys(document, lineCounter).map((words) => `\n  ${words}`);
  const strictErrors = repeated.length === 0 ? [] : [`yaml: unmarshal errors:${repeated.join('')}`];
  return { value: document.toJS({ maxAliasCount: 100 }) as unknown, strictErrors };
}

/** A key that a map has twice, with the line of its later value: the words of go-yaml. */
function repeatedYamlKeys(document: Document.Parsed, lines: LineCounter): string[] {
  const found: string[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key, value } of items) {
        if (!isScalar(key)) continue;
        const place = ((value ?? key) as { range?: [number, ...unknown[]] | null }).range?.[0] ?? 0;
        const { line } = lines.linePos(place);
        if (seen.has(key.value))
          found.push(`line ${line}: key ${JSON.stringify(key.value)} already set in map`);
        seen.add(key.value);
      }
    },
  });
  return found;
}
