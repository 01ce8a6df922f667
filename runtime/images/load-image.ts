import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { run } from '../../linux/command.ts';
import { hasCode } from '../../linux/system-error.ts';
import { CriError, invalidArgument } from '../errors.ts';
import type { ImageRecord } from './image.ts';
import type { ImageStore } from './image-store.ts';
import { parseReference, taggedName } from './reference.ts';
import { readTar } from './tar.ts';
import { adoptLayout } from './unpack.ts';

/** An image inside a file or folder: how skopeo calls it, and the names it has there. */
interface Found {
  transport: 'docker-archive' | 'oci' | 'oci-archive';
  /** What follows the path: a reference or a position, or nothing. */
  within: string;
  names: string[];
}

/**
 * Brings the images of an OCI layout (folder, or tar) or of a docker archive (tar, or tar.gz) into the store, under the
 * names that they have there; an image without a name gets the file's. Throws INVALID_ARGUMENT when it is neither.
 */
export async function loadImages({
  store,
  file,
}: {
  store: ImageStore;
  file: string;
}): Promise<ImageRecord[]> {
  const loaded: ImageRecord[] = [];
  for (const found of await findImages(file)) loaded.push(await loadOne({ store, file, found }));
  return loaded;
}

async function loadOne(options: { store: ImageStore; file: string; found: Found }): Promise<ImageRecord> {
  const { store, file, found } = options;
  await using incoming = await store.incoming();
  const layout = join(incoming.path, 'layout');
  // skopeo takes what follows a colon for a reference, and files are often named `image:tag.tar`.
  const plainPath = join(incoming.path, 'source');
  symlinkSync(resolve(file), plainPath);
  const source = `${found.transport}:${plainPath}${found.within}`;
  await run('skopeo', ['--insecure-policy', 'copy', '--quiet', source, `oci:${layout}:image`]);
  return await adoptLayout({ store, layout, tags: found.names.map(fullName), digests: [] });
}

const fullName = (name: string): string => taggedName(parseReference(name)) ?? name;

async function findImages(file: string): Promise<Found[]> {
  const known = isDirectory(file) ? layoutFiles(file) : await archiveFiles(file);
  const fallback = basename(file)
    .replace(/\.(tar|tar\.gz|tgz|oci)$/, '')
    .toLowerCase();
  if (known.dockerManifest !== undefined) return dockerImages(known.dockerManifest, fallback);
  if (known.index !== undefined) return layoutImages(file, known.index, fallback);
  throw invalidArgument(`${file}: neither an OCI image layout nor a docker archive`);
}

function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw new CriError('NOT_FOUND', `${file}: no such file`);
    throw error;
  }
}

/** The lists of contents that a layout (`index.json`) and a docker archive (`manifest.json`) have. */
interface Lists {
  index?: string;
  dockerManifest?: string;
}

function layoutFiles(dir: string): Lists {
  const path = join(dir, 'index.json');
  return existsSync(path) ? { index: readFileSync(path, 'utf8') } : {};
}

async function archiveFiles(file: string): Promise<Lists> {
  const lists: Lists = {};
  const plain = (name: string): string => name.replace(/^\.\//, '');
  try {
    for await (const { name, content } of readTar(file, { wanted: (name) => isList(plain(name)) })) {
      if (plain(name) === 'index.json' && content) lists.index = content.toString();
      if (plain(name) === 'manifest.json' && content) lists.dockerManifest = content.toString();
    }
  } catch (error) {
    throw invalidArgument(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return lists;
}

const isList = (name: string): boolean => name === 'index.json' || name === 'manifest.json';

function dockerImages(manifest: string, fallback: string): Found[] {
  const images = JSON.parse(manifest) as { RepoTags?: string[] | null }[];
  return images.map(({ RepoTags }, position) => ({
    transport: 'docker-archive',
    within: images.length === 1 ? '' : `:@${position}`,
    names: RepoTags?.length ? RepoTags : [fallback],
  }));
}

function layoutImages(file: string, index: string, fallback: string): Found[] {
  const transport = isDirectory(file) ? 'oci' : 'oci-archive';
  const { manifests } = JSON.parse(index) as { manifests: { annotations?: Record<string, string> }[] };
  return manifests.map(({ annotations = {} }) => {
    const reference = annotations['org.opencontainers.image.ref.name'];
    const within = reference === undefined ? '' : `:${reference}`;
    return {
      transport,
      within,
      names: [annotations['io.containerd.image.name'] ?? nameFrom(reference, fallback)],
    };
  });
}

// In a layout the reference may be a whole name or only a tag.
function nameFrom(reference: string | undefined, fallback: string): string {
  if (reference === undefined) return fallback;
  return /[/:]/.test(reference) ? reference : `${fallback}:${reference}`;
}
