import { compareQuantities, quantityMilliValue } from '../../api/quantity.ts';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  PodSpec,
} from '../../api/types.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { createdPod, refuse } from './pod-creation.ts';
import { writtenClaim } from './storage-object.ts';

/**
 * Gives containers the namespace's default requests and limits, and refuses containers and claims that are out of its bounds
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
  return containerItems(stores, attributes).flatMap((item) =>
    containersOf(spec).flatMap((container) => checkContainer(container, item)),
  );
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

function checkContainer(
  { resources }: Container,
  { min = {}, max = {}, maxLimitRequestRatio = {} }: LimitRangeItem,
): string[] {
  const { requests = {}, limits = {} } = resources ?? {};
  return [
    ...Object.entries(min).flatMap(([name, bound]) =>
      checkMinimum({ name, bound, request: requests[name], limit: limits[name] }),
    ),
    ...Object.entries(max).flatMap(([name, bound]) =>
      checkMaximum({ name, bound, request: requests[name], limit: limits[name] }),
    ),
    ...Object.entries(maxLimitRequestRatio).flatMap(([name, bound]) =>
      checkRatio({ name, bound, request: requests[name], limit: limits[name] }),
    ),
  ];
}

interface Bound {
  name: string;
  bound: string;
  request: string | undefined;
  limit: string | undefined;
}

function checkMinimum({ name, bound, request, limit }: Bound): string[] {
  const words = `minimum ${name} usage per Container is ${bound}`;
  if (request === undefined) return [`${words}.  No request is specified`];
  if (compareQuantities(request, bound) < 0) return [`${words}, but request is ${request}`];
  return limit !== undefined && compareQuantities(limit, bound) < 0
    ? [`${words}, but limit is ${limit}`]
    : [];
}

function checkMaximum({ name, bound, request, limit }: Bound): string[] {
  const words = `maximum ${name} usage per Container is ${bound}`;
  if (limit === undefined) return [`${words}.  No limit is specified`];
  if (compareQuantities(limit, bound) > 0) return [`${words}, but limit is ${limit}`];
  return request !== undefined && compareQuantities(request, bound) > 0
    ? [`${words}, but request is ${request}`]
    : [];
}

function checkRatio({ name, bound, request, limit }: Bound): string[] {
  const words = `${name} max limit to request ratio per Container is ${bound}`;
  const asked = request === undefined ? 0 : quantityMilliValue(request);
  if (asked === 0) return [`${words}, but no request is specified or request is 0`];
  const allowed = limit === undefined ? 0 : quantityMilliValue(limit);
  if (allowed === 0) return [`${words}, but no limit is specified or limit is 0`];
  const ratio = allowed / asked;
  return ratio > quantityMilliValue(bound) / 1000
    ? [`${words}, but provided ratio is ${ratio.toFixed(6)}`]
    : [];
}
