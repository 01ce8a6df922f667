import type { Container, Pod, ResourceRequirements } from '../../types.ts';
import { forbidden, invalid } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { mirrorAnnotation, specOf } from './pod.ts';
import { qosClassOf } from '../../qos-class.ts';
import { validateBasics } from './pod-update.ts';

type List = 'containers' | 'initContainers';

/** Checks a write to pods/resize: only cpu and memory of containers may change, and not the Pod's QoS class. */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (old.metadata?.annotations?.[mirrorAnnotation] !== undefined)
    return [forbidden('[]', 'static pods cannot be resized')];
  if (specOf(old).os?.name === 'windows') return [forbidden('[]', 'windows pods cannot be resized')];
  const errors = [
    ...validateBasics(pod, old),
    ...((old.status?.qosClass ?? qosClassOf(old)) === qosClassOf(pod)
      ? []
      : [
          invalid('spec', pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'),
        ]),
    ...(isSupported(old) ? [] : [forbidden('spec', 'Pod running on node without support for resize')]),
  ];
  const order = [...checkOrder(pod, old, 'containers'), ...checkOrder(pod, old, 'initContainers')];
  if (order.length > 0) return [...errors, ...order];
  const all = [...errors, ...checkRemovals(pod, old), ...checkContainers(pod, old)];
  if (all.length > 0 || semanticEqual(restored(pod, old), specOf(old))) return all;
  return [forbidden('spec', 'only cpu and memory resources are mutable')];
}

function isSupported({ status }: Pod): boolean {
  const running = (status?.containerStatuses ?? []).find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function checkOrder(pod: Pod, old: Pod, list: List): FieldError[] {
  const containers = specOf(pod)[list] ?? [];
  const before = specOf(old)[list] ?? [];
  if (containers.length !== before.length)
    return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
  return before.flatMap(({ name }, index) =>
    containers[index]?.name === name
      ? []
      : [forbidden(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)],
  );
}

function checkRemovals(pod: Pod, old: Pod): FieldError[] {
  return (['initContainers', 'containers'] as const).flatMap((list) =>
    (specOf(old)[list] ?? []).flatMap((before, index) => {
      if (list === 'initContainers' && before.restartPolicy !== 'Always') return [];
      const after = specOf(pod)[list]?.[index]?.resources ?? {};
      return (['requests', 'limits'] as const).flatMap((field) =>
        Object.keys(before.resources?.[field] ?? {}).every((name) => after[field]?.[name] !== undefined)
          ? []
          : [forbidden(`spec.${list}[${index}].resources.${field}`, `resource ${field} cannot be removed`)],
      );
    }),
  );
}

function checkContainers(pod: Pod, old: Pod): FieldError[] {
  const regular = (specOf(old).containers ?? []).flatMap((before, index) =>
    semanticEqual(withOldAmounts(specOf(pod).containers[index], before), before)
      ? []
      : [forbidden('spec', 'only cpu and memory resources are mutable')],
  );
  const initial = (specOf(old).initContainers ?? []).flatMap((before, index) => {
    const after = specOf(pod).initContainers?.[index];
    if (before.restartPolicy !== 'Always')
      return semanticEqual(after, before)
        ? []
        : [forbidden('spec', 'resources for non-sidecar init containers are immutable')];
    const message = 'only cpu and memory resources for init or sidecar containers are mutable';
    return semanticEqual(withOldAmounts(after, before), before)
      ? []
      : [forbidden(`spec.initContainers[${index}]`, message)];
  });
  return [...regular, ...initial];
}

function restored(pod: Pod, old: Pod) {
  const { containers, initContainers } = specOf(old);
  return { ...specOf(pod), containers, ...(initContainers !== undefined && { initContainers }) };
}

/** The container with the old cpu, memory and resize policy. */
function withOldAmounts(container: Container | undefined, old: Container): Container | undefined {
  if (container === undefined) return undefined;
  const { resizePolicy: _, ...rest } = container;
  const { resizePolicy } = old;
  return {
    ...rest,
    ...(resizePolicy !== undefined && { resizePolicy }),
    resources: {
      ...container.resources,
      limits: oldAmounts('limits', container.resources, old.resources),
      requests: oldAmounts('requests', container.resources, old.resources),
    },
  };
}

function oldAmounts(
  field: 'limits' | 'requests',
  resources: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
): Record<string, string> {
  const others = Object.entries(resources?.[field] ?? {}).filter(
    ([name]) => name !== 'cpu' && name !== 'memory',
  );
  const before = Object.entries(old?.[field] ?? {}).filter(([name]) => name === 'cpu' || name === 'memory');
  return Object.fromEntries([...others, ...before]);
}
