import type { AttachableVolume } from './pod-volume.ts';

/** A volume that Pods of one node need there. */
export interface Want {
  volume: AttachableVolume;
  node: string;
  /** Keys of the Pods. */
  pods: string[];
}

/** What one Pod needs. */
export interface PodWants {
  uid: string;
  node: string;
  /** By the name of the volume within the Pod. */
  volumes: Map<string, AttachableVolume>;
}

/** Which volumes are to be attached to which nodes, as the Pods that were told of need them. */
export class DesiredState {
  readonly #pods = new Map<string, PodWants>();
  /** Unique volume name → keys of the Pods that need it. */
  readonly #podsOf = new Map<string, Set<string>>();

  /** What a Pod needed when it was last told of. */
  get(podKey: string): PodWants | undefined {
    return this.#pods.get(podKey);
  }

  /** Takes over what a Pod needs now; answers the unique names of the volumes that this concerns. */
  set(podKey: string, wants: PodWants | undefined): Set<string> {
    const concerned = new Set<string>();
    for (const { uniqueName } of this.#pods.get(podKey)?.volumes.values() ?? []) {
      concerned.add(uniqueName);
      this.#forget(uniqueName, podKey);
    }
    this.#pods.delete(podKey);
    if (wants === undefined || wants.volumes.size === 0) return concerned;
    this.#pods.set(podKey, wants);
    for (const { uniqueName } of wants.volumes.values()) {
      concerned.add(uniqueName);
      const pods = this.#podsOf.get(uniqueName) ?? new Set();
      this.#podsOf.set(uniqueName, pods.add(podKey));
    }
    return concerned;
  }

  #forget(uniqueName: string, podKey: string): void {
    const pods = this.#podsOf.get(uniqueName);
    pods?.delete(podKey);
    if (pods?.size === 0) this.#podsOf.delete(uniqueName);
  }

  /** Where a volume is needed, by node. */
  wantsOf(uniqueName: string): Map<string, Want> {
    const wants = new Map<string, Want>();
    for (const podKey of this.#podsOf.get(uniqueName) ?? []) {
      const pod = this.#pods.get(podKey);
      const volume = pod?.volumes.values().find((each) => each.uniqueName === uniqueName);
      if (pod === undefined || volume === undefined) continue;
      const want = wants.get(pod.node) ?? { volume, node: pod.node, pods: [] };
      want.pods.push(podKey);
      wants.set(pod.node, want);
    }
    return wants;
  }

  /** All volumes that some Pod needs. */
  volumes(): string[] {
    return [...this.#podsOf.keys()];
  }
}
