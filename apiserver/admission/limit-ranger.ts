import { aggregateContainers, isPodLevelResource } from '../../api/defaults/resources.ts';
import { compareQuantities } from '../../api/quantity.ts';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  PodSpec,
  ResourceRequirements,
} from '../../api/types.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { checkBounds } from './limit-bounds.ts';
import { createdPod, refuse } from './pod-creation.ts';
import { writtenClaim } from './storage-object.ts';

/**
 * Gives containers the namespace's default requests and limits, and refuses containers, Pods and claims that are out of its bounds
 * (upstream: limitranger).
 */
export const limitRanger = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'LimitRanger',
  admit(attributes) {
    const spec = createdPod(attributes)?.spec;
    if (spec === undefined) return;
    for (const item of containerItems(stores, attributes))
      for (const container of containersOf(spec)) fillIn(container, item);
  },
  validate(attributes) {
    const errors = [...checkPod(stores, attributes), ...checkClaim(stores, attributes)];
    if (errors.length === 0) return;
    throw refuse(attributes, errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`);
  },
});

function checkPod(stores: Stores, attributes: AdmissionAttributes): string[] {
  const spec = createdPod(attributes)?.spec;
  if (spec === undefined) return [];
  return [
    ...containerItems(stores, attributes).flatMap((item) =>
      containersOf(spec).flatMap(({ resources = {} }) => checkBounds(resources, item)),
    ),
    ...limitItems(stores, attributes, 'Pod').flatMap((item) => checkBounds(togetherOf(spec), item)),
  ];
}

/** What the Pod's containers take together, or what it says for itself as a whole (upstream: podRequests and podLimits). */
function togetherOf(spec: PodSpec): ResourceRequirements {
  const whole = (field: 'limits' | 'requests') => ({
    ...aggregateContainers(spec, field),
    ...Object.fromEntries(
      Object.entries(spec.resources?.[field] ?? {}).filter(([name]) => isPodLevelResource(name)),
    ),
  });
  return { requests: whole('requests'), limits: whole('limits') };
}

/** Of a claim only the requests count, when it is made and when it grows. */
function checkClaim(stores: Stores, attributes: AdmissionAttributes): string[] {
  const claim = writtenClaim(attributes);
  const isDeleting = attributes.oldObject?.metadata.deletionTimestamp !== undefined;
  if (claim === undefined || isDeleting) return [];
  return limitItems(stores, attributes, 'PersistentVolumeClaim').flatMap((item) =>
    checkClaimItem(claim, item),
  );
}

function checkClaimItem({ spec }: PersistentVolumeClaim, { type, min, max }: LimitRangeItem): string[] {
  const requests = spec?.resources?.requests ?? {};
  const bounds = (list: Record<string, string> | undefined) =>
    Object.entries(list ?? {}).map(([name, bound]) => ({ name, bound, request: requests[name] }));
  return [
    ...bounds(min).flatMap(({ name, bound, request }) => {
      const words = `minimum ${name} usage per ${type} is ${bound}`;
      if (request === undefined) return [`${words}.  No request is specified`];
      return compareQuantities(request, bound) < 0 ? [`${words}, but request is ${request}`] : [];
    }),
    ...bounds(max).flatMap(({ name, bound, request }) => {
      const words = `maximum ${name} usage per ${type} is ${bound}`;
      if (request === undefined) return [`${words}.  No request is specified`];
      return compareQuantities(request, bound) > 0 ? [`${words}, but request is ${request}`] : [];
    }),
  ];
}

const containersOf = ({ containers, initContainers }: PodSpec): Container[] => [
  ...containers,
  ...(initContainers ?? []),
];

const containerItems = (stores: Stores, attributes: AdmissionAttributes): LimitRangeItem[] =>
  limitItems(stores, attributes, 'Container');

function limitItems(stores: Stores, { request }: AdmissionAttributes, wanted: string): LimitRangeItem[] {
  const store = stores.named('', 'limitranges');
  const ranges = [...store.cache.list(`${store.prefix}${request.info.namespace}/`)];
  return ranges
    .flatMap(({ object }) => (object as unknown as LimitRange).spec?.limits ?? [])
    .filter(({ type }) => type === wanted);
}

function fillIn(container: Container, item: LimitRangeItem): void {
  const limits = { ...item.default, ...container.resources?.limits };
  const requests = { ...item.defaultRequest, ...container.resources?.requests };
  container.resources = {
    ...container.resources,
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(Object.keys(requests).length > 0 && { requests }),
  };
}
