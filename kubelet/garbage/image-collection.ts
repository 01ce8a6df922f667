import { statfs } from 'node:fs/promises';
import type * as cri from '../../runtime/cri/types.ts';
import { describeError } from '../cri/cri-error.ts';
import type { PodSyncContext } from '../sync/sync-context.ts';

export interface ImageCollectionOptions {
  context: Pick<PodSyncContext, 'cri' | 'cache' | 'log' | 'events'>;
  highPercent: number;
  lowPercent: number;
}

/** When the disk of the images is fuller than `highPercent`, removes unused ones until `lowPercent` is reached. */
export async function collectImages(options: ImageCollectionOptions): Promise<void> {
  const { context, highPercent, lowPercent } = options;
  const { imageFilesystems } = await context.cri.call('ImageFsInfo', {});
  const mountpoint = imageFilesystems[0]?.fsId?.mountpoint;
  if (!mountpoint) return;
  const { blocks, bavail, bsize } = await statfs(mountpoint);
  const usedPercent = 100 - Math.floor((bavail * 100) / blocks);
  if (blocks === 0 || usedPercent < highPercent) return;
  const toFree = blocks * bsize * (1 - lowPercent / 100) - bavail * bsize;
  const freed = await removeUnused(context, toFree);
  if (freed < toFree) {
    const message = `Failed to garbage collect required amount of images. Attempted to free ${Math.ceil(toFree)} bytes, but only found ${freed} bytes eligible to free.`;
    context.events.node('Warning', 'FreeDiskSpaceFailed', message);
  }
}

async function removeUnused(
  { cri, cache, log }: ImageCollectionOptions['context'],
  toFree: number,
): Promise<number> {
  const { images } = await cri.call('ListImages', {});
  const used = new Set(
    cache.all().flatMap(({ containers }) => containers.flatMap(({ image, imageRef }) => [image, imageRef])),
  );
  const unused = images.filter((image) => !image.pinned && !namesOf(image).some((name) => used.has(name)));
  let freed = 0;
  for (const image of unused.sort((a, b) => b.size - a.size)) {
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
