import { join } from 'node:path';
import type { KubeletPod } from '../pod.ts';

/** `<root>/<namespace>_<name>_<uid>`, as /var/log/pods elsewhere. */
export const podLogFolder = (root: string, { metadata }: KubeletPod): string =>
  join(root, `${metadata.namespace}_${metadata.name}_${metadata.uid}`);

export const containerLogFolder = (root: string, pod: KubeletPod, container: string): string =>
  join(podLogFolder(root, pod), container);

/** Relative to the sandbox's log directory. */
export const containerLogPath = (container: string, restartCount: number): string =>
  join(container, `${restartCount}.log`);
