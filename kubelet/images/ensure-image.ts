import type { Secret } from '../../api/types.ts';
import { createKeyedBackOff } from '../back-off.ts';
import { raceAbort } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { StartError } from '../containers/start-error.ts';
import type { ImageUser } from '../containers/security-context.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { describeError, messageOf } from '../cri/cri-error.ts';
import { goDuration } from '../go-duration.ts';
import type { EventType } from '../pod-events.ts';
import type { KubeletPod } from '../pod.ts';
import { withDefaultTag } from './image-name.ts';
import { credentialsFor } from './pull-credentials.ts';

export interface EnsureImageOptions {
  pod: KubeletPod;
  image: string;
  pullPolicy: string | undefined;
  sandboxConfig: cri.Sent<cri.PodSandboxConfig>;
  runtimeHandler?: string;
  pullSecrets: () => Promise<Secret[]>;
  /** Called before a pull, which may take long: what has been reached so far is to be told. */
  beforePull?: () => void;
  /** Where events about the image go: the container that wants it. */
  tell: (type: EventType, reason: string, message: string) => void;
  /** Nobody wants the image any more: its pull is ended. */
  signal: AbortSignal;
}

export interface PresentImage {
  /** The image ID, by which the container is made. */
  ref: string;
  user: ImageUser;
}

export interface ImageManager {
  /** Makes sure of the image, by its pull policy. Rejects with StartError or the signal's reason. */
  ensure(options: EnsureImageOptions): Promise<PresentImage>;
  /** Forgets the pull failures of a Pod that is gone. */
  forget(podUid: string): void;
}

/** After a failed pull the Pod's status says ErrImagePull for this long, then ImagePullBackOff. */
const showPullErrorMs = 2000;

/** Pulls one image at a time per name, so that Pods that start together do not pull the same image twice. */
export function createImageManager({ cri, clock }: { cri: CriClient; clock: Clock }): ImageManager {
  const backOff = createKeyedBackOff({ clock });
  const lastErrors = new Map<string, string>();
  const pulling = new Map<string, Promise<unknown>>();

  const find = async (image: string): Promise<cri.Image | null> =>
    (await cri.call('ImageStatus', { image: { image } })).image;

  const pull = async (
    image: string,
    options: EnsureImageOptions,
  ): Promise<{ ref: string; pullMs: number }> => {
    // Only its turn is waited for; why that pull failed is told to its own caller.
    for (let before = pulling.get(image); before !== undefined; before = pulling.get(image)) {
      await raceAbort(
        before.catch(() => undefined),
        options.signal,
      );
    }
    const startMs = clock.now();
    const pulled = pullOnce(cri, image, options);
    pulling.set(image, pulled);
    try {
      return { ref: await pulled, pullMs: clock.now() - startMs };
    } finally {
      pulling.delete(image);
    }
  };

  const pullOrBackOff = async (image: string, options: EnsureImageOptions): Promise<PresentImage> => {
    const { pod, tell } = options;
    const name = options.image;
    const key = `${pod.metadata.uid}_${name}`;
    if (clock.now() < backOff.endsAtMs(key)) {
      const before = lastErrors.get(key);
      const message = `Back-off pulling image "${name}"`;
      tell('Normal', 'BackOff', message);
      const shown = before ? `${message}: ${before}` : message;
      throw new StartError('ImagePullBackOff', shown, backOff.endsAtMs(key));
    }
    tell('Normal', 'Pulling', `Pulling image "${name}"`);
    options.beforePull?.();
    const startMs = clock.now();
    try {
      const { ref, pullMs } = await pull(image, options);
      const present = await find(ref);
      tell(
        'Normal',
        'Pulled',
        pulledWords({ name, pullMs, allMs: clock.now() - startMs, size: present?.size ?? 0 }),
      );
      lastErrors.delete(key);
      return { ref, user: userOf(present) };
    } catch (error) {
      options.signal.throwIfAborted();
      const described = describeError(error);
      tell('Warning', 'Failed', `Failed to pull image "${name}": ${described}`);
      backOff.next(key, clock.now());
      const { reason, message } = pullErrorOf(name, described);
      lastErrors.set(key, `${reason}: ${message}`);
      throw new StartError(reason, message, clock.now() + showPullErrorMs);
    }
  };

  return {
    async ensure(options) {
      const { tell, pullPolicy } = options;
      const image = checkedName(options);
      if (pullPolicy === 'Always') return pullOrBackOff(image, options);
      const present = await find(image).catch((error: unknown) => {
        const message = `Failed to inspect image "": ${describeError(error)}`;
        tell('Warning', 'InspectFailed', message);
        throw new StartError('ImageInspectError', message);
      });
      if (present) {
        const message = `Container image "${options.image}" already present on machine and can be accessed by the pod`;
        tell('Normal', 'Pulled', message);
        return { ref: present.id, user: userOf(present) };
      }
      if (pullPolicy !== 'Never') return pullOrBackOff(image, options);
      const message = `Container image "${options.image}" is not present with pull policy of Never`;
      tell('Warning', 'ErrImageNeverPull', message);
      throw new StartError('ErrImageNeverPull', message);
    },
    forget(podUid) {
      backOff.forget(`${podUid}_`);
      for (const key of lastErrors.keys()) if (key.startsWith(`${podUid}_`)) lastErrors.delete(key);
    },
  };
}

function checkedName({ image, tell }: EnsureImageOptions): string {
  try {
    return withDefaultTag(image);
  } catch (error) {
    const message = `Failed to apply default image tag "${image}": ${messageOf(error)}`;
    tell('Warning', 'InspectFailed', message);
    throw new StartError('InvalidImageName', message);
  }
}

/** Tries the Pod's credentials one after the other, or none. */
async function pullOnce(cri: CriClient, image: string, options: EnsureImageOptions): Promise<string> {
  const { sandboxConfig, signal } = options;
  const credentials = credentialsFor(image, await options.pullSecrets());
  const attempts = credentials.length > 0 ? credentials : [undefined];
  let failure: unknown;
  for (const auth of attempts) {
    try {
      const request = { image: { image }, sandboxConfig, ...(auth ? { auth } : {}) };
      const { imageRef } = await cri.call('PullImage', request, { timeoutMs: 3_600_000, signal });
      return imageRef;
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/** The reasons that a runtime may give by the beginning of its message (cri-api: errors.go). */
function pullErrorOf(image: string, described: string) {
  for (const reason of ['RegistryUnavailable', 'SignatureValidationFailed'] as const) {
    const at = described.indexOf(reason);
    if (at < 0) continue;
    const rest = described.slice(at + reason.length);
    const why =
      reason === 'RegistryUnavailable' ? 'the registry is unavailable' : 'the signature validation failed';
    return { reason, message: `image pull failed for ${image} because ${why}${rest}` };
  }
  return { reason: 'ErrImagePull' as const, message: described };
}

const pulledWords = ({
  name,
  pullMs,
  allMs,
  size,
}: {
  name: string;
  pullMs: number;
  allMs: number;
  size: number;
}): string =>
  `Successfully pulled image "${name}" in ${goDuration(pullMs)} (${goDuration(allMs)} including waiting). Image size: ${size} bytes.`;

const userOf = (image: cri.Image | null): ImageUser => ({
  ...(image?.uid ? { uid: image.uid.value } : {}),
  ...(image?.username ? { username: image.username } : {}),
});
