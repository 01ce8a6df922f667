import type { Image, ImageFilter, ListImagesRequest, Sent, StreamImagesResponse } from '../cri/types.ts';
import { inPieces } from '../filters.ts';
import type { ImageRecord } from '../images/index.ts';
import type { Runtime } from '../runtime.ts';

/** The images in the store, or the one that the filter names. */
export const listImages = (runtime: Runtime, { filter }: ListImagesRequest) => ({
  images: filtered(runtime, filter),
});

/** The same in pieces (KEP-5825). */
export function* streamImages(
  runtime: Runtime,
  { filter }: ListImagesRequest,
): Generator<Sent<StreamImagesResponse>> {
  for (const images of inPieces(filtered(runtime, filter))) yield { images };
}

function filtered(runtime: Runtime, filter: ImageFilter | null): Sent<Image>[] {
  const name = filter?.image?.image ?? '';
  const found = name === '' ? runtime.images.list() : [runtime.images.find(name)];
  return found.filter((image) => image !== undefined).map(criImage);
}

/** CRI's Image. The user is a number or a name, as the image gives it; root when it gives none. */
export function criImage({ id, tags, digests, sizeBytes, config, pinned }: ImageRecord): Sent<Image> {
  const [user = ''] = (config.User ?? '').split(':');
  const who = user !== '' && !/^\d+$/.test(user) ? { username: user } : { uid: { value: Number(user) } };
  return {
    id,
    repoTags: tags,
    repoDigests: digests,
    size: sizeBytes,
    pinned,
    ...who,
    spec: { image: tags[0] ?? id },
  };
}
