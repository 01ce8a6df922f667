import type { Container, Secret } from '../../api/types.ts';
import type { PodEvents } from '../pod-events.ts';
import type { KubeletPod } from '../pod.ts';
import type { ImageManager } from './ensure-image.ts';

/** Pulls the images that stand behind the container's image volumes; the answer is by volume name. Rejects with StartError or the signal's reason. */
export async function pullImageVolumes(
  {
    pod,
    events,
    images,
    pullSecretsOf,
    signal,
  }: {
    pod: KubeletPod;
    events: PodEvents;
    images: ImageManager;
    pullSecretsOf: () => Promise<Secret[]>;
    signal: AbortSignal;
  },
  container: Container,
): Promise<Map<string, { image: string; userSpecifiedImage: string }>> {
  const pulled = new Map<string, { image: string; userSpecifiedImage: string }>();
  for (const { name } of container.volumeMounts ?? []) {
    const image = pod.spec.volumes?.find((volume) => volume.name === name)?.image;
    if (!image || pulled.has(name)) continue;
    const reference = image.reference ?? '';
    const { ref } = await images.ensure({
      pod,
      image: reference,
      pullPolicy: image.pullPolicy,
      sandboxConfig: {},
      pullSecrets: pullSecretsOf,
      tell: (type, reason, message) => events.pod(pod, type, reason, message),
      signal,
    });
    pulled.set(name, { image: ref, userSpecifiedImage: reference });
  }
  return pulled;
}
