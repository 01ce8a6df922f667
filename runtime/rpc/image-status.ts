import type { ImageStatusRequest, ImageStatusResponse, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { criImage } from './list-images.ts';

/** One image, or null when the store doesn't have it. `verbose` adds its configuration. */
export function imageStatus(
  runtime: Runtime,
  { image, verbose }: ImageStatusRequest,
): Sent<ImageStatusResponse> {
  const found = runtime.images.find(image?.image ?? '');
  if (found === undefined) return { image: null };
  const info = verbose ? { info: JSON.stringify({ imageSpec: { config: found.config } }) } : {};
  return { image: criImage(found), info };
}
