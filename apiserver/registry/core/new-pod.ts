import { isDeepStrictEqual } from 'node:util';
import { qosClassOf } from '../../../api/qos-class.ts';
import type { Pod } from '../../../api/types.ts';
import { appArmorAnnotation, appArmorProfileOf } from '../../../api/validation/pod/security-annotations.ts';
import { timestamp } from '../../endpoints/timestamp.ts';
import { containersOf } from '../pod-warnings/containers.ts';
import { appArmorWarnings } from '../pod-warnings/annotations.ts';
import { mergeLabelKeys } from './label-keys.ts';

/** What becomes of a new Pod before it is checked (upstream: pod strategy PrepareForCreate). */
export function prepareNewPod(pod: Pod, warn: (texts: string[]) => void): void {
  pod.status = { phase: 'Pending', qosClass: qosClassOf(pod), ...gatedCondition(pod) };
  mergeLabelKeys(pod);
  if (pod.spec?.os?.name === 'windows') return;
  // Afterwards nobody could tell that a field had been an annotation.
  warn(appArmorWarnings(pod, 'metadata.annotations'));
  copyAppArmorProfiles(pod);
}

/** Upstream: pod strategy applySchedulingGatedCondition. */
const gatedCondition = ({ spec }: Pod) =>
  (spec?.schedulingGates ?? []).length === 0
    ? {}
    : {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'SchedulingGated',
            message: 'Scheduling is blocked due to non-empty scheduling gates',
            lastTransitionTime: timestamp(new Date()),
          },
        ],
      };

/** What an annotation says of a container's AppArmor profile becomes its field, where there is none and the Pod's says otherwise. */
function copyAppArmorProfiles({ metadata, spec }: Pod): void {
  const ofPod = spec?.securityContext?.appArmorProfile;
  for (const { container } of containersOf(spec, '')) {
    const annotation = metadata?.annotations?.[appArmorAnnotation + container.name];
    if (annotation === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    const profile = appArmorProfileOf(annotation);
    if (profile !== undefined && !isDeepStrictEqual(profile, ofPod))
      container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
}
