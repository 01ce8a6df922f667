import type { RemoveImageRequest, RemoveImageResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** Removes an image with all its names. Idempotent (api.proto, RemoveImage). */
export async function removeImage(
  runtime: Runtime,
  { image }: RemoveImageRequest,
): Promise<RemoveImageResponse> {
  await runtime.images.remove(image?.image ?? '');
  return {};
}
