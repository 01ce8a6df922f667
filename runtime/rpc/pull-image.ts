import type { PullImageRequest, PullImageResponse } from '../cri/types.ts';
import { pullImage as pull } from '../images/index.ts';
import type { Runtime } from '../runtime.ts';

/** Brings an image into the store and answers with its id. */
export async function pullImage(
  runtime: Runtime,
  { image, auth }: PullImageRequest,
): Promise<PullImageResponse> {
  const { id } = await pull({
    store: runtime.images,
    name: image?.image ?? '',
    credentials: auth ?? undefined,
  });
  return { imageRef: id };
}
