import { statfs } from 'node:fs/promises';
import type { Clock } from '../../client/clock.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { describeError } from '../cri/cri-error.ts';
import type { PodSyncContext } from '../sync/sync-context.ts';

export interface ImageCollectionOptions {
  context: Pick<PodSyncContext, 'cri' | 'cache' | 'log' | 'events'>;
  clock: Clock;
  highPercent: number;
  lowPercent: number;
}

/** An image that was pulled a moment ago waits for its container (upstream: imageMinimumGCAge). */
const minAgeMs = 120_000;

/** When an image was first seen here, and last used; 0 when never. */
interface Seen {
  firstMs: number;
  usedMs: number;
}

/**
 * Looks what images there are and, when their disk is fuller than `highPercent`, removes those that are not used until `lowPercent` is
 * reached, first those that were not for the longest time (upstream: image_gc_manager.go). To be called from time to time.
 */
export function createImageCollection(options: ImageCollectionOptions): () => Promise<void> {
  const { context, highPercent, lowPercent } = options;
  const seen = new Map<string, Seen>();
  return async () => {
    const unused = await look(options, seen);
    const { imageFilesystems } = await context.cri.call('ImageFsInfo', {});
    const mountpoint = imageFilesystems[0]?.fsId?.mountpoint;
    if (!mountpoint) return;
    const { blocks, bavail, bsize } = await statfs(mountpoint);
    const usedPercent = 100 - Math.floor((bavail * 100) / blocks);
    if (blocks === 0 || usedPercent < highPercent) return;
    const toFree = blocks * bsize * (1 - lowPercent / 100) - bavail * bsize;
    const freed = await remove(context, unused, toFree);
    if (freed < toFree) {
      const message = `Failed to garbage collect required amount of images. Attempted to free ${Math.ceil(toFree)} bytes, but only found ${freed} bytes eligible to free.`;
      context.events.node('Warning', 'FreeDiskSpaceFailed', message);
    }
  };
}

/** Notes what is there, and answers what may go, first what is to go first. */
async function look(
  { context: { cri, cache }, clock }: ImageCollectionOptions,
  seen: Map<string, Seen>,
): Promise<cri.Image[]> {
  const { images } = await cri.call('ListImages', {});
  const used = new Set(
    cache
      .all()
      .flatMap(({ containers }) => containers)
      .flatMap(({ image, imageRef, mounts }) => [
        image,
        imageRef,
        ...mounts.map((mount) => mount.image?.image),
      ]),
  );
  const nowMs = clock.now();
  const ids = new Set(images.map(({ id }) => id));
  for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id);
  const unused = images.flatMap((image) => {
    const entry = seen.get(image.id) ?? { firstMs: nowMs, usedMs: 0 };
    seen.set(image.id, entry);
    const isUsed = namesOf(image).some((name) => used.has(name));
    if (isUsed) entry.usedMs = nowMs;
    return isUsed || image.pinned || nowMs - entry.firstMs < minAgeMs ? [] : [{ image, ...entry }];
  });
  return unused.sort((a, b) => a.usedMs - b.usedMs || a.firstMs - b.firstMs).map(({ image }) => image);
}

async function remove(
  { cri, log }: ImageCollectionOptions['context'],
  images: cri.Image[],
  toFree: number,
): Promise<number> {
  let freed = 0;
  for (const image of images) {
    if (freed >= toFree) break;
    try {
      await cri.call('RemoveImage', { image: { image: image.id } });
      freed += image.size;
    } catch (error) {
      log.warn({ image: image.id, error: describeError(error) }, 'cannot remove an image');
    }
  }
  return freed;
}

const namesOf = ({ id, repoTags, repoDigests }: cri.Image): string[] => [id, ...repoTags, ...repoDigests];
