import { selectedNode } from '../../../api/storage/annotations.ts';
import { bindVolumeToClaim } from '../../../api/storage/bind-volume.ts';
import { claimsOfPod } from '../../../api/storage/pod-claims.ts';
import { stateKey } from '../../framework/cycle-state.ts';
import type { CycleState } from '../../framework/cycle-state.ts';
import type { PluginFactory } from '../../framework/handle.ts';
import { unresolvable } from '../../framework/plugin.ts';
import { bindPodVolumes } from './bind-volumes.ts';
import { createBindingWaits } from './binding-waits.ts';
import { findPodVolumes } from './find-volumes.ts';
import type { PodVolumes } from './find-volumes.ts';
import { hints, watchedResources } from './hints.ts';
import { sortClaims, UnusableClaim } from './pod-claims.ts';
import type { PodVolumeClaims } from './pod-claims.ts';
import { followStorage } from './storage-state.ts';
import type { StorageState } from './storage-state.ts';

interface Decisions {
  claims: PodVolumeClaims;
  byNode: Map<string, PodVolumes>;
  /** What reserve has assumed, with the decisions in the objects. */
  assumed?: PodVolumes;
}

const decisionsKey = stateKey<Decisions>('VolumeBinding');

/** Upstream's default (VolumeBindingArgs.bindTimeoutSeconds). */
const bindTimeoutMs = 600_000;

/**
 * A pod goes where its volumes are or can be made, and runs only when they are bound:
 *
 *     filter    per node: which free volume for which claim, which claims to provision
 *     reserve   the chosen node's decisions are assumed, so that the next pod finds them taken
 *     preBind   they are written, and the binder and the provisioners are waited for
 *     unreserve what was assumed is forgotten
 */
export const volumeBinding: PluginFactory = (handle) => {
  const storage = followStorage(handle.informers);
  const waits = createBindingWaits(handle);
  return {
    name: 'VolumeBinding',
    hints,
    watchedResources,
    preFilter({ pod, state }) {
      if (claimsOfPod(pod).length === 0) return { skip: true };
      try {
        const claims = sortClaims(pod, storage);
        if (claims.immediate.length > 0) {
          return { rejection: unresolvable('pod has unbound immediate PersistentVolumeClaims') };
        }
        state.write(decisionsKey, { claims, byNode: new Map() });
        return undefined;
      } catch (error) {
        if (error instanceof UnusableClaim) return { rejection: unresolvable(error.message) };
        throw error;
      }
    },
    filter({ state, node }) {
      const decisions = state.read(decisionsKey);
      if (decisions === undefined) return undefined;
      const found = findPodVolumes(decisions.claims, { node: node.node, storage });
      if ('reasons' in found) return unresolvable(...found.reasons);
      decisions.byNode.set(node.name, found);
      return undefined;
    },
    reserve({ state, nodeName }) {
      const decisions = state.read(decisionsKey);
      const found = decisions?.byNode.get(nodeName);
      if (decisions !== undefined && found !== undefined) {
        decisions.assumed = assumeVolumes(found, { nodeName, storage });
      }
      return undefined;
    },
    unreserve({ state }) {
      const assumed = state.read(decisionsKey)?.assumed;
      if (assumed !== undefined) revert(assumed, storage);
    },
    preBindPreFlight: ({ state }) => toBeBound(state) !== undefined,
    async preBind({ pod, state, nodeName, signal }) {
      const volumes = toBeBound(state);
      if (volumes === undefined) return;
      const options = { pod, nodeName, volumes, handle, waits, timeoutMs: bindTimeoutMs, signal };
      await bindPodVolumes(options);
    },
  };
};

/** What reserve has assumed and nobody has written yet, if anything. */
const toBeBound = (state: CycleState): PodVolumes | undefined => {
  const volumes = state.read(decisionsKey)?.assumed;
  const count = (volumes?.bindings.length ?? 0) + (volumes?.provisions.length ?? 0);
  return count === 0 ? undefined : volumes;
};

/** Throws Error, with nothing assumed, when an object has changed since the filter looked at it. */
const assumeVolumes = (
  { bindings, provisions }: PodVolumes,
  { nodeName, storage }: { nodeName: string; storage: StorageState },
): PodVolumes => {
  const assumed: PodVolumes = { bindings: [], provisions: [] };
  try {
    for (const { claim, volume } of bindings) {
      const bound = bindVolumeToClaim(volume, claim);
      if (bound !== volume) storage.volumes.assume(bound);
      assumed.bindings.push({ claim, volume: bound });
    }
    for (const claim of provisions) {
      const annotations = { ...claim.metadata?.annotations, [selectedNode]: nodeName };
      const provisioned = { ...claim, metadata: { ...claim.metadata, annotations } };
      storage.claims.assume(provisioned);
      assumed.provisions.push(provisioned);
    }
    return assumed;
  } catch (error) {
    revert(assumed, storage);
    throw error;
  }
};

const revert = ({ bindings, provisions }: PodVolumes, storage: StorageState): void => {
  for (const { volume } of bindings) storage.volumes.restore(volume);
  for (const claim of provisions) storage.claims.restore(claim);
};
