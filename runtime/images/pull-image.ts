import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, run } from '../../linux/command.ts';
import { CriError } from '../errors.ts';
import type { ImageRecord } from './image.ts';
import type { ImageStore } from './image-store.ts';
import type { ImageReference } from './reference.ts';
import { digestName, formatReference, parseReference, repositoryOf, taggedName } from './reference.ts';
import { type SharedTask, shareTask } from './shared-task.ts';
import { adoptLayout } from './unpack.ts';
import { watchProgress } from './watch-progress.ts';

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
  /** Whoever asked waits no longer. The pull goes on while somebody else waits for it. */
  signal?: AbortSignal;
  /** How long a registry may send nothing. Five minutes when not given, as containerd's image_pull_progress_timeout. */
  idleMs?: number;
}

const pulling = new Map<string, SharedTask<ImageRecord>>();

/**
 * Brings an image from its registry into the store, through skopeo. The same image asked for twice at a time is pulled once.
 * Throws CriError: NOT_FOUND, UNAUTHENTICATED, INVALID_ARGUMENT for a name that is none, UNAVAILABLE, CANCELLED when the registry stalls or
 * `signal` is aborted, else UNKNOWN.
 */
export function pullImage(options: PullOptions): Promise<ImageRecord> {
  const reference = parseReference(options.name);
  const key = `${options.store.dir} ${formatReference(reference)} ${JSON.stringify(options.credentials ?? {})}`;
  const task =
    pulling.get(key) ??
    shareTask({
      work: (signal) => pull({ ...options, signal }, reference),
      leaving: () => failed({ code: 'CANCELLED', reference, why: 'context canceled' }),
      onOver: () => void pulling.delete(key),
    });
  pulling.set(key, task);
  return task.wait(options.signal);
}

const defaultIdleMs = 300_000;

async function pull(
  { store, credentials, signal, idleMs = defaultIdleMs }: PullOptions & { signal: AbortSignal },
  reference: ImageReference,
): Promise<ImageRecord> {
  await using incoming = await store.incoming();
  const layout = await download({ directory: incoming.path, reference, credentials, signal, idleMs });
  const tag = taggedName(reference);
  const digests = [digestName(reference, layout.digest)];
  return await adoptLayout({ store, layout: layout.path, tags: tag === undefined ? [] : [tag], digests });
}

interface Download {
  directory: string;
  reference: ImageReference;
  credentials: RegistryCredentials | undefined;
  signal: AbortSignal;
  idleMs: number;
}

/** Copies the image into an OCI layout in the directory. */
async function download(options: Download): Promise<{ path: string; digest: string }> {
  const { directory, reference, credentials, signal, idleMs } = options;
  const access = await accessArguments(directory, reference, credentials);
  using progress = watchProgress({ directory, idleMs });
  const skopeo = (args: string[]) =>
    run('skopeo', ['--insecure-policy', ...args], { signal: AbortSignal.any([signal, progress.signal]) });
  try {
    const digest = reference.digest ?? (await digestOf(skopeo, access, reference));
    const path = join(directory, 'layout');
    const source = `docker://${digestName(reference, digest)}`;
    await skopeo([
      'copy',
      '--quiet',
      ...access.map((flag) => flag.replace(/^--/, '--src-')),
      source,
      `oci:${path}:image`,
    ]);
    return { path, digest };
  } catch (error) {
    if (progress.signal.aborted) {
      const why = `no progress in ${idleMs / 1000} seconds`;
      throw failed({ code: 'CANCELLED', reference, why, cause: error });
    }
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

interface Failure {
  code: ConstructorParameters<typeof CriError>[0];
  reference: ImageReference;
  why: string;
  cause?: unknown;
}

const failed = ({ code, reference, why, cause }: Failure): CriError =>
  new CriError(code, `failed to pull and unpack image "${formatReference(reference)}": ${why}`, { cause });

function pullError(reference: ImageReference, error: unknown): Error {
  if (!(error instanceof CommandError)) return error instanceof Error ? error : new Error(String(error));
  const why = lastWords(error.stderr) || error.message;
  return failed({ code: codeFor(why), reference, why, cause: error });
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
