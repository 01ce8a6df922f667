import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isAlive } from '../../linux/process.ts';
import { hasCode } from '../../linux/system-error.ts';
import { notFound } from '../errors.ts';
import { hostImage } from './host-image.ts';
import type { ImageRecord } from './image.ts';
import { openImageIndex } from './image-index.ts';
import { digestName, parseReference, taggedName } from './reference.ts';

/**
 * The images of a cluster's nodes, in one directory that several processes share:
 *
 *     index.json                the list (lock: taken to change it)
 *     trees/<hex of id>/rootfs  an image unpacked: the lower directory of its containers' overlays
 *     trees/<hex of id>/leases/ one empty file per container that stands on the tree
 *     incoming/<process>-…/     an image on its way in; the rename out of here is what publishes it
 */
export interface ImageStore {
  readonly dir: string;
  /** All images, the host's among them. */
  list(): ImageRecord[];
  /** By name in any spelling, by id with or without `sha256:`, or by the id's first digits when only one has them. */
  find(name: string): ImageRecord | undefined;
  /** The directory that holds the image's files. */
  rootfsOf(image: Pick<ImageRecord, 'id'>): string;
  /** Adds names to an image; a tag leaves the image that had it before. False when the image's tree is not there (any more). */
  addNames(image: ImageRecord): Promise<boolean>;
  /** Takes the image with all its names away; its tree goes when no container stands on it. Missing is no error. */
  remove(name: string): Promise<void>;
  /** Says that a container stands on the image's tree. Throws NOT_FOUND when the image has gone. */
  lease(image: ImageRecord, holder: string): void;
  /** Takes back what lease() said, and the tree when it was the last and the image is gone. Idempotent. */
  release(imageId: string, holder: string): Promise<void>;
  /** Takes back all that lease() said of a holder. Idempotent. */
  releaseAll(holder: string): Promise<void>;
  /** A fresh directory on the same file system, removed when disposed. */
  incoming(): Promise<{ path: string } & AsyncDisposable>;
  /** Makes the tree at `path` the image's, unless it already has one, and adds the image or, where it is there, its names. */
  publish(image: ImageRecord, path: string): Promise<void>;
}

/** Opens the store in `dir`, made when missing. */
export function openImageStore({ dir }: { dir: string }): ImageStore {
  for (const part of ['trees', 'incoming']) mkdirSync(join(dir, part), { recursive: true, mode: 0o700 });
  removeAbandoned(join(dir, 'incoming'));
  const index = openImageIndex(dir);
  const treeOf = (id: string): string => join(dir, 'trees', hexOf(id));
  const isPresent = (id: string): boolean => existsSync(join(treeOf(id), 'rootfs'));
  const list = (): ImageRecord[] => [hostImage, ...index.read().filter(({ id }) => isPresent(id))];
  const isListed = (id: string): boolean => list().some((image) => image.id === id);

  const leaseOf = (id: string, holder: string): string => join(treeOf(id), 'leases', holder);

  /** Where this process has what is on its way in or out; a name of more follows. */
  const ownPrefix = (): string =>
    join(dir, 'incoming', `${process.pid}-${identify(process.pid)?.startTime ?? 0}-`);

  // Under the lock, for whoever brings an image back meanwhile finds its tree or unpacks another, and lists it then. Nothing is made for
  // it: the disk may be full, and this is to free it.
  const removeUnusedTrees = async ({ unlisted }: { unlisted?: string } = {}): Promise<void> => {
    const gone: string[] = [];
    await index.locked((images) => {
      const wanted = new Set(images.flatMap(({ id }) => (id === unlisted ? [] : hexOf(id))));
      for (const tree of readdirSync(join(dir, 'trees'))) {
        if (wanted.has(tree) || leasesOf(treeOf(tree)).length > 0) continue;
        const path = `${ownPrefix()}${randomBytes(6).toString('hex')}`;
        renameSync(treeOf(tree), path);
        gone.push(path);
      }
    });
    await Promise.all(gone.map((path) => rm(path, { recursive: true, force: true })));
  };
  const incoming = async () => {
    await removeUnusedTrees(); // of a process that was killed before it had listed one
    const path = await mkdtemp(ownPrefix());
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  };
  const release = async (imageId: string, holder: string): Promise<void> => {
    rmSync(leaseOf(imageId, holder), { force: true });
    if (!isListed(imageId)) await removeUnusedTrees();
  };

  return {
    dir,
    list,
    find: (name) => findImage(list(), name),
    rootfsOf: (image) => (image.id === hostImage.id ? '/' : join(treeOf(image.id), 'rootfs')),
    async addNames(image) {
      let present = false;
      await index.update((images) => {
        present = isPresent(image.id);
        return present ? withImage(images, image) : images;
      });
      return present;
    },
    async remove(name) {
      const image = findImage(index.read(), name);
      if (image === undefined) return;
      const unlist = () => index.update((images) => images.filter(({ id }) => id !== image.id));
      try {
        await unlist();
      } catch (error) {
        if (!hasCode(error, 'ENOSPC', 'EDQUOT')) throw error;
        // The tree first then, which makes room for the list: without its tree no image counts.
        await removeUnusedTrees({ unlisted: image.id });
        await unlist();
      }
      await removeUnusedTrees();
    },
    // The lease is written before looking whether the image is still listed, and remove() does it the other way
    // round: whichever comes second sees the other, so no tree vanishes under a container.
    lease(image, holder) {
      if (image.id === hostImage.id) return;
      const lease = leaseOf(image.id, holder);
      try {
        writeFileSync(lease, '', { mode: 0o600 });
      } catch (error) {
        if (hasCode(error, 'ENOENT')) throw notFound(`image ${image.id}: not found`);
        throw error;
      }
      if (isListed(image.id)) return;
      rmSync(lease, { force: true });
      throw notFound(`image ${image.id}: not found`);
    },
    async release(imageId, holder) {
      if (imageId !== hostImage.id) await release(imageId, holder);
    },
    async releaseAll(holder) {
      for (const tree of readdirSync(join(dir, 'trees'))) {
        const id = `sha256:${tree}`;
        if (existsSync(leaseOf(id, holder))) await release(id, holder);
      }
    },
    incoming,
    async publish(image, path) {
      mkdirSync(join(path, 'leases'), { recursive: true, mode: 0o700 });
      try {
        await index.update((images) => {
          if (!isPresent(image.id)) renameSync(path, treeOf(image.id));
          return withImage(images, image);
        });
      } catch (error) {
        await removeUnusedTrees(); // its own: the disk may be too full for the list
        throw error;
      }
    },
  };
}

// What a process had on its way in, or out, when it was killed; its name begins with who that was.
function removeAbandoned(incoming: string): void {
  for (const name of readdirSync(incoming)) {
    const [pid, startTime] = name.split('-').map(Number);
    if (isAlive({ pid: pid ?? 0, startTime: startTime ?? 0 })) continue;
    rmSync(join(incoming, name), { recursive: true, force: true });
  }
}

const hexOf = (id: string): string => id.replace(/^sha256:/, '');

function leasesOf(tree: string): string[] {
  try {
    return readdirSync(join(tree, 'leases'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Exported for tests: which of `images` a name means. */
function findImage(images: ImageRecord[], name: string): ImageRecord | undefined {
  const byId = images.filter(({ id }) => id === name || isIdPrefix(name, id));
  if (byId.length === 1) return byId[0];
  const reference = parsedOrUndefined(name);
  if (reference === undefined) return undefined;
  const { digest } = reference;
  if (digest !== undefined)
    return images.find(({ digests }) => digests.includes(digestName(reference, digest)));
  const tag = taggedName(reference) ?? '';
  return images.find(({ tags }) => tags.includes(tag));
}

const isIdPrefix = (name: string, id: string): boolean =>
  /^(sha256:)?[0-9a-f]{7,64}$/.test(name) && hexOf(id).startsWith(hexOf(name));

function parsedOrUndefined(name: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined; // not a name at all, so no image has it
  }
}

function withImage(images: ImageRecord[], added: ImageRecord): ImageRecord[] {
  const others = images.filter(({ id }) => id !== added.id);
  for (const other of others) other.tags = other.tags.filter((tag) => !added.tags.includes(tag));
  const before = images.find(({ id }) => id === added.id);
  const tags = [...new Set([...(before?.tags ?? []), ...added.tags])];
  const digests = [...new Set([...(before?.digests ?? []), ...added.digests])];
  return [...others, { ...added, tags, digests }];
}
