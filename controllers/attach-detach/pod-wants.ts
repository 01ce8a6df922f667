import type { Node, Pod } from '../../api/types.ts';
import type { Lister } from '../../client/store.ts';
import { isPodTerminated } from '../pods-by-claim.ts';
import type { PodWants } from './desired-state.ts';
import { resolvePodVolume } from './pod-volume.ts';
import type { AttachableVolume, VolumeLookup } from './pod-volume.ts';

/**
 * What a Pod needs attached to its node; undefined when it needs nothing, isn't scheduled or has ended. What cannot be looked up for the
 * moment counts as before: a volume isn't taken from a running Pod because somebody deleted its claim.
 */
export function wantsOfPod(
  pod: Pod | undefined,
  { before, nodes, lookup }: { before: PodWants | undefined; nodes: Lister<Node>; lookup: VolumeLookup },
): PodWants | undefined {
  const node = pod?.spec?.nodeName ?? '';
  if (pod === undefined || node === '' || isPodTerminated(pod)) return undefined;
  const uid = pod.metadata?.uid ?? '';
  const earlier = before?.uid === uid && before.node === node ? before : undefined;
  if (earlier === undefined && nodes.getByKey(node) === undefined) return undefined;
  const volumes = new Map<string, AttachableVolume>();
  for (const volume of pod.spec?.volumes ?? []) {
    const resolved = resolvePodVolume(pod, volume, lookup);
    const wanted = resolved === 'unresolved' ? earlier?.volumes.get(volume.name) : resolved;
    if (wanted !== undefined && wanted !== 'not-attachable') volumes.set(volume.name, wanted);
  }
  return volumes.size === 0 ? undefined : { uid, node, volumes };
}
