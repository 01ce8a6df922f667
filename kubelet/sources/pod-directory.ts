import { isMirrorPod, isStaticPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';

/** The Pods this node is to run, by UID, and the mirrors of the static ones (upstream: pod manager). */
export interface PodDirectory {
  set(pod: KubeletPod): void;
  remove(pod: KubeletPod): void;
  get(uid: string): KubeletPod | undefined;
  byName(namespace: string, name: string): KubeletPod | undefined;
  /** Without mirrors. */
  list(): KubeletPod[];
  mirrorOf(pod: KubeletPod): KubeletPod | undefined;
  mirrors(): KubeletPod[];
  /** The Pod that a UID of the API server stands for: a mirror's is that of the static Pod. */
  resolveUid(uid: string): string;
  /** The API server's object of a Pod: itself, or the mirror. */
  apiPod(uid: string): KubeletPod | undefined;
}

const fullName = ({ metadata }: KubeletPod) => `${metadata.namespace}/${metadata.name}`;

export function createPodDirectory(): PodDirectory {
  const pods = new Map<string, KubeletPod>();
  const names = new Map<string, string>();
  const mirrors = new Map<string, KubeletPod>();
  const byName = (namespace: string, name: string) => pods.get(names.get(`${namespace}/${name}`) ?? '');
  return {
    set(pod) {
      if (isMirrorPod(pod)) {
        mirrors.set(fullName(pod), pod);
        return;
      }
      pods.set(pod.metadata.uid, pod);
      names.set(fullName(pod), pod.metadata.uid);
    },
    remove(pod) {
      if (isMirrorPod(pod)) {
        const known = mirrors.get(fullName(pod));
        if (known?.metadata.uid === pod.metadata.uid) mirrors.delete(fullName(pod));
        return;
      }
      pods.delete(pod.metadata.uid);
      if (names.get(fullName(pod)) === pod.metadata.uid) names.delete(fullName(pod));
    },
    get: (uid) => pods.get(uid),
    byName,
    list: () => [...pods.values()],
    mirrorOf: (pod) => mirrors.get(fullName(pod)),
    mirrors: () => [...mirrors.values()],
    resolveUid(uid) {
      for (const mirror of mirrors.values()) {
        if (mirror.metadata.uid !== uid) continue;
        return byName(mirror.metadata.namespace, mirror.metadata.name)?.metadata.uid ?? uid;
      }
      return uid;
    },
    apiPod(uid) {
      const pod = pods.get(uid);
      return pod && isStaticPod(pod) ? mirrors.get(fullName(pod)) : pod;
    },
  };
}
