import { isDeepStrictEqual } from 'node:util';
import { qosClassOf } from '../../../api/qos-class.ts';
import type { LabelSelector, Pod, PodAffinity, PodAffinityTerm, PodSpec } from '../../../api/types.ts';
import { appArmorAnnotation, appArmorProfileOf } from '../../../api/validation/pod/security-annotations.ts';
import { timestamp } from '../../endpoints/timestamp.ts';
import { containersOf } from '../pod-warnings/containers.ts';
import { appArmorWarnings } from '../pod-warnings/annotations.ts';

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

/** The Pod's values of the labels that a selector names by their keys alone go into the selector, for the scheduler to find. */
function mergeLabelKeys({ metadata, spec }: Pod): void {
  const labels = metadata?.labels ?? {};
  for (const { labelSelector, matchLabelKeys, mismatchLabelKeys } of affinityTermsOf(spec)) {
    addRequirements(labelSelector, { keys: matchLabelKeys, operator: 'In', labels });
    addRequirements(labelSelector, { keys: mismatchLabelKeys, operator: 'NotIn', labels });
  }
  for (const { labelSelector, matchLabelKeys } of spec?.topologySpreadConstraints ?? [])
    addRequirements(labelSelector, { keys: matchLabelKeys, operator: 'In', labels });
}

const affinityTermsOf = (spec: PodSpec | undefined): PodAffinityTerm[] =>
  [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].flatMap(termsOf);

const termsOf = (affinity: PodAffinity | undefined): PodAffinityTerm[] => [
  ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
    ({ podAffinityTerm }) => podAffinityTerm ?? [],
  ),
  ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
];

/** A selector that isn't there matches nothing, whatever is added. */
function addRequirements(
  selector: LabelSelector | undefined,
  options: { keys: string[] | undefined; operator: 'In' | 'NotIn'; labels: Record<string, string> },
): void {
  const { keys = [], operator, labels } = options;
  const added = keys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
  if (selector !== undefined && added.length > 0)
    selector.matchExpressions = [...(selector.matchExpressions ?? []), ...added];
}

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
