import type { PersistentVolumeClaim, Pod, Volume } from '../../../api/types.ts';
import { createBackOff } from '../../../client/back-off.ts';
import type { Clock } from '../../../client/clock.ts';
import { isForbidden } from '../../../client/errors.ts';
import { createInformer } from '../../../client/informer.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import type { VolumeSpec } from '../volume-spec.ts';
import { claimNameOf, resolveClaim } from './resolve-claim.ts';
import type { VolumeUse } from './resolve-claim.ts';

export interface FollowClaimOptions {
  client: Client;
  clock: Clock;
  pod: Pod;
  volume: Volume;
  use: VolumeUse;
  /** What is behind the claim: once it is known, and again each time that the claim has changed. */
  onSpec: (spec: VolumeSpec) => void;
  /** Why nothing usable is behind the claim now; it is looked at again. */
  onProblem: (reason: string) => void;
}

export interface ClaimFollower {
  /** Resolves after the first onSpec or onProblem. */
  firstLook: Promise<void>;
  /** The Pod is synced: look again, unless the claim is watched and all is well. */
  look(pod: Pod): void;
  close(): void;
}

/** For what the claim's own watch doesn't tell, such as a PersistentVolume that isn't bound in return yet. */
const createLookBackOff = () => createBackOff({ initialMs: 100, capMs: 10_000, factor: 2, jitter: 0 });

/**
 * Follows one claim of a Pod. The watch only says when to look; what is there is always read anew.
 * A server that lets kubelets get claims but not watch them (upstream's node authorizer) is asked at each sync of the Pod instead.
 */
export const followClaim = (options: FollowClaimOptions): ClaimFollower => {
  const { client, clock, onSpec, onProblem } = options;
  let { pod } = options;
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  const backOff = createLookBackOff();
  let cancelRetry = () => {};
  let seen: VolumeSpec | undefined;
  let due = false;
  let looking = false;
  let watched = true;
  /** The claim's version that the watch told of while we looked. */
  let told: string | undefined;

  const lookOnce = async () => {
    const { volume, use } = options;
    try {
      const spec = await resolveClaim({ client, pod, volume, use, signal: stopping.signal });
      if (stopping.signal.aborted) return;
      backOff.reset();
      if (isSame(seen, spec)) return;
      seen = spec;
      onSpec(spec);
    } catch (error) {
      if (stopping.signal.aborted) return;
      cancelRetry = clock.after(backOff.nextMs(), look);
      onProblem(error instanceof Error ? error.message : String(error));
    } finally {
      first.resolve();
    }
  };

  const look = () => {
    due = true;
    if (looking || stopping.signal.aborted) return;
    looking = true;
    void (async () => {
      while (due && !stopping.signal.aborted) {
        due = false;
        cancelRetry();
        await lookOnce();
        due ||= told !== undefined && told !== versionOf(seen?.claim);
        told = undefined;
      }
      looking = false;
    })();
  };

  const informer = createInformer<PersistentVolumeClaim>({
    client,
    resource: persistentVolumeClaims,
    namespace: pod.metadata?.namespace,
    fieldSelector: `metadata.name=${claimNameOf(pod, options.volume)}`,
    onError(error) {
      if (!isForbidden(error)) return;
      watched = false;
      void informer.stop();
    },
  });
  const onClaim = (claim: PersistentVolumeClaim) => {
    if (looking) told = versionOf(claim);
    else if (versionOf(claim) !== versionOf(seen?.claim)) look();
  };
  informer.addHandler({ add: onClaim, update: onClaim });
  informer.start();
  look();

  return {
    firstLook: first.promise,
    look(now) {
      pod = now;
      if (!watched || seen === undefined) look();
    },
    close() {
      stopping.abort(new Error('the claim is no longer followed'));
      first.resolve();
      cancelRetry();
      void informer.stop();
    },
  };
};

const versionOf = (object: { metadata?: { resourceVersion?: string } } | undefined): string | undefined =>
  object?.metadata?.resourceVersion;

const isSame = (left: VolumeSpec | undefined, right: VolumeSpec): boolean => {
  if (left === undefined || versionOf(left.claim) !== versionOf(right.claim)) return false;
  return versionOf(left.persistentVolume) === versionOf(right.persistentVolume);
};
