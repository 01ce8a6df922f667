import type { Container, Pod, PodCondition } from '../../../api/types.ts';
import { keepMetadata } from '../keep-metadata.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import type { Subresource } from '../kind.ts';
import { podStatusWarnings, podWarnings } from '../pod-warnings/pod-warnings.ts';
import { POD_COLUMNS } from '../printers/pod.ts';
import { prepareNewPod } from './new-pod.ts';

/** A delete's grace: asked, else the Pod's own; a Pod that never ran or has ended goes at once (upstream: pod strategy CheckGracefulDelete). */
function gracePeriodSeconds({ spec, status }: Pod, asked: number | undefined): number {
  if (!spec?.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
  const period = asked ?? spec.terminationGracePeriodSeconds ?? 0;
  return period < 0 ? 1 : period;
}

const keepStatus = (pod: Pod, old: Pod): void => {
  if (old.status === undefined) delete pod.status;
  else pod.status = old.status;
};

/** Everything but the status, labels and annotations stays (upstream: podStatusStrategy). */
function onlyStatus(pod: Pod, old: Pod): void {
  if (old.spec !== undefined) pod.spec = old.spec;
  // Old kubelets corrupt them, and who may report a status may not have the Pod collected with an owner.
  keepMetadata(pod, old, ['ownerReferences']);
  const { qosClass, observedGeneration, conditions = [] } = old.status ?? {};
  const status = (pod.status ??= {});
  if (qosClass !== undefined) status.qosClass ??= qosClass;
  if (observedGeneration !== undefined) status.observedGeneration ??= observedGeneration;
  keepGenerations(status.conditions ?? [], conditions);
}

/** Whoever leaves out by which generation of the spec a condition was found hasn't looked at another one; types may be there twice. */
function keepGenerations(conditions: PodCondition[], old: PodCondition[]): void {
  const left = Map.groupBy(old, ({ type }) => type);
  for (const condition of conditions) {
    const { observedGeneration } = left.get(condition.type)?.shift() ?? {};
    if (observedGeneration !== undefined) condition.observedGeneration ??= observedGeneration;
  }
}

/** Only the list of ephemeral containers is taken over; whether it may be so is for the validation. */
function onlyEphemeralContainers(pod: Pod, old: Pod): void {
  const { ephemeralContainers } = pod.spec ?? {};
  keepStatus(pod, old);
  keepMetadata(pod, old);
  if (old.spec === undefined) return;
  const { ephemeralContainers: _, ...rest } = old.spec;
  pod.spec = { ...rest, ...(ephemeralContainers !== undefined && { ephemeralContainers }) };
}

/** Only the containers' resources and resize policies are taken over. */
function onlyResources(pod: Pod, old: Pod): void {
  if (pod.spec === undefined || old.spec === undefined) return;
  const containers = withResources(pod.spec.containers, old.spec.containers);
  const initContainers = withResources(pod.spec.initContainers ?? [], old.spec.initContainers ?? []);
  // Other containers than before are left as they are, and the validation refuses them.
  if (containers === undefined || initContainers === undefined) return;
  keepStatus(pod, old);
  keepMetadata(pod, old);
  pod.spec = { ...old.spec, containers, ...(initContainers.length > 0 && { initContainers }) };
}

function withResources(wanted: Container[], old: Container[]): Container[] | undefined {
  if (wanted.length !== old.length || wanted.some(({ name }, index) => name !== old[index]?.name))
    return undefined;
  return old.map((container, index) => {
    const { resources: _, resizePolicy: __, ...rest } = container;
    const { resources, resizePolicy } = wanted[index] ?? {};
    return {
      ...rest,
      ...(resources !== undefined && { resources }),
      ...(resizePolicy !== undefined && { resizePolicy }),
    };
  });
}

const connect = (
  name: string,
  kind: string,
  verbs: Subresource['verbs'] = ['create', 'get'],
): Subresource<Pod> => ({ name, kind, verbs });

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  columns: POD_COLUMNS,
  returnsDeletedObject: true,
  tracksGeneration: true,
  strategy: {
    prepareForCreate: prepareNewPod,
    prepareForUpdate: keepStatus,
    gracePeriodSeconds,
    warnings: (object, old) => (old === undefined ? podWarnings(object) : []),
  },
  subresources: [
    connect('attach', 'PodAttachOptions'),
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    {
      name: 'ephemeralcontainers',
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      strategy: { prepareForUpdate: onlyEphemeralContainers },
    },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    connect('exec', 'PodExecOptions'),
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    connect('portforward', 'PodPortForwardOptions'),
    connect('proxy', 'PodProxyOptions', ['create', 'delete', 'get', 'patch', 'update']),
    {
      name: 'resize',
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      strategy: { prepareForUpdate: onlyResources },
    },
    {
      name: 'status',
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      strategy: { prepareForUpdate: onlyStatus, warnings: podStatusWarnings },
    },
  ],
  selectableFields: ({ spec, status }) => ({
    'spec.nodeName': spec?.nodeName ?? '',
    'spec.restartPolicy': spec?.restartPolicy ?? '',
    'spec.schedulerName': spec?.schedulerName ?? '',
    'spec.serviceAccountName': spec?.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec?.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIP ?? '',
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  }),
});
