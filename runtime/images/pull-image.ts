import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, run } from '../../linux/command.ts';
import { CriError } from '../errors.ts';
import type { ImageRecord } from './image.ts';
import type { ImageStore } from './image-store.ts';
import type { ImageReference } from './reference.ts';
import { digestName, formatReference, parseReference, repositoryOf, taggedName } from './reference.ts';
import { adoptLayout } from './unpack.ts';

/** How to prove who pulls; the fields of CRI's AuthConfig. */
export interface RegistryCredentials {
  username?: string;
  password?: string;
  /** base64 of `username:password`. */
  auth?: string;
  identityToken?: string;
  registryToken?: string;
}

export interface PullOptions {
  store: ImageStore;
  name: string;
  credentials?: RegistryCredentials | undefined;
  signal?: AbortSignal;
}

const pulling = new Map<string, Promise<ImageRecord>>();

/**
 * Brings an image from its registry into the store, through skopeo. The same image asked for twice at a time is pulled once.
 * Throws CriError: NOT_FOUND, UNAUTHENTICATED, INVALID_ARGUMENT for a name that is none, UNAVAILABLE, else UNKNOWN.
 */
export function pullImage(options: PullOptions): Promise<ImageRecord> {
  const reference = parseReference(options.name);
  const key = `${options.store.dir} ${formatReference(reference)} ${JSON.stringify(options.credentials ?? {})}`;
  const running = pulling.get(key) ?? pull(options, reference).finally(() => pulling.delete(key));
  pulling.set(key, running);
  return running;
}

async function pull(
  { store, credentials, signal }: PullOptions,
  reference: ImageReference,
): Promise<ImageRecord> {
  await using incoming = await store.incoming();
  const access = await accessArguments(incoming.path, reference, credentials);
  const skopeo = (args: string[]) =>
    run('skopeo', ['--insecure-policy', ...args], signal === undefined ? {} : { signal });
  try {
    const digest = reference.digest ?? (await digestOf(skopeo, access, reference));
    const layout = join(incoming.path, 'layout');
    const source = `docker://${digestName(reference, digest)}`;
    await skopeo([
      'copy',
      '--quiet',
      ...access.map((flag) => flag.replace(/^--/, '--src-')),
      source,
      `oci:${layout}:image`,
    ]);
    const tag = taggedName(reference);
    const digests = [digestName(reference, digest)];
    return await adoptLayout({ store, layout, tags: tag === undefined ? [] : [tag], digests });
  } catch (error) {
    throw pullError(reference, error);
  }
}

// The digest that the name stands for now, which for a multi-platform image is the list's and not one platform's.
async function digestOf(
  skopeo: (args: string[]) => Promise<{ stdout: string }>,
  access: string[],
  reference: ImageReference,
): Promise<string> {
  const { stdout } = await skopeo([
    'inspect',
    '--format',
    '{{.Digest}}',
    '--no-tags',
    ...access,
    `docker://${taggedName(reference)}`,
  ]);
  return stdout.trim();
}

// Passwords go by a file: a command line is for everyone on the host to read.
async function accessArguments(
  dir: string,
  reference: ImageReference,
  credentials: RegistryCredentials = {},
): Promise<string[]> {
  const insecure = isLoopback(reference.registry) ? ['--tls-verify=false'] : [];
  const { username = '', password = '', auth = '', identityToken = '', registryToken = '' } = credentials;
  if (registryToken !== '') return [...insecure, `--registry-token=${registryToken}`];
  const basic = auth !== '' ? auth : Buffer.from(`${username}:${password}`).toString('base64');
  const entry = identityToken !== '' ? { auth: basic, identitytoken: identityToken } : { auth: basic };
  const known = auth !== '' || username !== '' || identityToken !== '';
  const file = join(dir, 'auth.json');
  await writeFile(file, JSON.stringify({ auths: known ? { [repositoryOf(reference)]: entry } : {} }), {
    mode: 0o600,
  });
  return [...insecure, `--authfile=${file}`];
}

// A registry on this very machine speaks plain HTTP, as containerd and docker take it too.
const isLoopback = (registry: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry);

function pullError(reference: ImageReference, error: unknown): Error {
  if (!(error instanceof CommandError)) return error instanceof Error ? error : new Error(String(error));
  const why = lastWords(error.stderr) || error.message;
  const message = `failed to pull and unpack image "${formatReference(reference)}": ${why}`;
  return new CriError(codeFor(why), message, { cause: error });
}

function codeFor(why: string): 'NOT_FOUND' | 'UNAUTHENTICATED' | 'UNAVAILABLE' | 'UNKNOWN' {
  if (/manifest unknown|name unknown|not found|no such manifest/i.test(why) && !/no such host/i.test(why))
    return 'NOT_FOUND';
  if (/unauthorized|authentication required|denied|invalid username/i.test(why)) return 'UNAUTHENTICATED';
  if (/dial tcp|no such host|connection refused|timeout|i\/o/i.test(why)) return 'UNAVAILABLE';
  return 'UNKNOWN';
}

// skopeo's log line: time="…" level=fatal msg="…"
function lastWords(stderr: string): string {
  const message = /level=fatal msg=("(?:[^"\\]|\\.)*")/.exec(stderr)?.[1];
  return message === undefined ? stderr.trim() : (JSON.parse(message) as string);
}
