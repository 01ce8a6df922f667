import { aggregateContainers, isPodLevelResource } from '../../api/defaults/resources.ts';
import { compareQuantities } from '../../api/quantity.ts';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
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
    const pod = createdPod(attributes);
    if (pod === undefined) return;
    for (const range of limitRanges(stores, attributes)) fillIn(pod, defaultsOf(range));
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

function limitItems(stores: Stores, attributes: AdmissionAttributes, wanted: string): LimitRangeItem[] {
  const ranges = limitRanges(stores, attributes);
  return ranges.flatMap(({ spec }) => spec?.limits ?? []).filter(({ type }) => type === wanted);
}

function limitRanges(stores: Stores, { request }: AdmissionAttributes): LimitRange[] {
  const store = stores.named('', 'limitranges');
  const entries = [...store.cache.list(`${store.prefix}${request.info.namespace}/`)];
  return entries.map(({ object }) => object as unknown as LimitRange);
}

type Defaults = Required<Pick<ResourceRequirements, 'requests' | 'limits'>>;

/** What a range gives to a container that doesn't say. */
function defaultsOf({ spec }: LimitRange): Defaults {
  const item = spec?.limits.find(({ type }) => type === 'Container');
  return { requests: item?.defaultRequest ?? {}, limits: item?.default ?? {} };
}

const LISTS = [
  { field: 'requests', word: 'request' },
  { field: 'limits', word: 'limit' },
] as const;

/** Gives a Pod's containers the defaults, and notes on it which were given (upstream: mergePodResourceRequirements). */
function fillIn({ metadata = {}, spec }: Pod, defaults: Defaults): void {
  const fill = (containers: Container[] | undefined, what: string) =>
    (containers ?? []).flatMap((container) =>
      LISTS.flatMap(({ field, word }) => {
        const names = give(container, field, defaults[field]);
        return names.length === 0 ? [] : [`${names.join(', ')} ${word} for ${what} ${container.name}`];
      }),
    );
  const notes = [...fill(spec?.containers, 'container'), ...fill(spec?.initContainers, 'init container')];
  if (notes.length === 0) return;
  const note = `LimitRanger plugin set: ${notes.join('; ')}`;
  metadata.annotations = { ...metadata.annotations, 'kubernetes.io/limit-ranger': note };
}

/** Gives a container what it lacks of a list; returns the names of that. */
function give(container: Container, field: keyof Defaults, list: Record<string, string>): string[] {
  const own = container.resources?.[field] ?? {};
  const names = Object.keys(list).filter((name) => !(name in own));
  if (names.length > 0) container.resources = { ...container.resources, [field]: { ...list, ...own } };
  return names.toSorted();
}
