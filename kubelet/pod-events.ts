import type { EventRecorder } from '../client/event-recorder.ts';
import { containerFieldPath } from './pod.ts';
import type { KubeletPod } from './pod.ts';

export type EventType = 'Normal' | 'Warning';

/** Events about Pods, their containers and the node; they are written in the background, never waited for. */
export interface PodEvents {
  pod(pod: KubeletPod, type: EventType, reason: string, message: string): void;
  container(
    about: { pod: KubeletPod; container: string },
    type: EventType,
    reason: string,
    message: string,
  ): void;
  node(type: EventType, reason: string, message: string): void;
}

export const createPodEvents = (recorder: EventRecorder, nodeName: string): PodEvents => ({
  pod(pod, type, reason, message) {
    recorder.event({ object: reference(pod), type, reason, message });
  },
  container({ pod, container }, type, reason, message) {
    const fieldPath = containerFieldPath(pod, container);
    recorder.event({ object: reference(pod), type, reason, message, fieldPath });
  },
  node(type, reason, message) {
    // The kubelet names the node as UID too: it may not know the object's own (upstream: nodeRef).
    const object = { kind: 'Node', name: nodeName, uid: nodeName } as const;
    recorder.event({ object, type, reason, message });
  },
});

const reference = ({ metadata }: KubeletPod) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  name: metadata.name,
  namespace: metadata.namespace,
  uid: metadata.uid,
  ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
});
