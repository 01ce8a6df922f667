import type { PullImageRequest, PullImageResponse } from '../cri/types.ts';
import { pullImage as pull } from '../images/index.ts';
import type { Runtime } from '../runtime.ts';
import type { Call } from '../server.ts';

/**
 * Brings an image into the store and answers with its id. An image that was built or loaded on this machine came from no
 * registry, so there is nowhere to look for a newer one: it is answered as it is, also for imagePullPolicy Always.
 */
export async function pullImage(
  runtime: Runtime,
  { image, auth }: PullImageRequest,
  { signal }: Call,
): Promise<PullImageResponse> {
  const name = image?.image ?? '';
  const present = runtime.images.find(name);
  if (present?.local === true) return { imageRef: present.id };
  const pulled = await pull({ store: runtime.images, name, credentials: auth ?? undefined, signal });
  return { imageRef: pulled.id };
}
