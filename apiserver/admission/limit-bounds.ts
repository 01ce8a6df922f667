import { compareQuantities, quantityMilliValue } from '../../api/quantity.ts';
import type { LimitRangeItem, ResourceRequirements } from '../../api/types.ts';

/**
 * Why resources are out of the bounds that a LimitRange sets for its type (Container, Pod), in upstream's words (limitranger
 * minConstraint, maxConstraint, limitRequestRatioConstraint).
 */
export function checkBounds(
  { requests = {}, limits = {} }: ResourceRequirements,
  { type, min = {}, max = {}, maxLimitRequestRatio = {} }: LimitRangeItem,
): string[] {
  return [
    ...Object.entries(min).flatMap(([name, bound]) =>
      checkMinimum({ type, name, bound, request: requests[name], limit: limits[name] }),
    ),
    ...Object.entries(max).flatMap(([name, bound]) =>
      checkMaximum({ type, name, bound, request: requests[name], limit: limits[name] }),
    ),
    ...Object.entries(maxLimitRequestRatio).flatMap(([name, bound]) =>
      checkRatio({ type, name, bound, request: requests[name], limit: limits[name] }),
    ),
  ];
}

interface Bound {
  type: string;
  name: string;
  bound: string;
  request: string | undefined;
  limit: string | undefined;
}

function checkMinimum({ type, name, bound, request, limit }: Bound): string[] {
  const words = `minimum ${name} usage per ${type} is ${bound}`;
  if (request === undefined) return [`${words}.  No request is specified`];
  if (compareQuantities(request, bound) < 0) return [`${words}, but request is ${request}`];
  return limit !== undefined && compareQuantities(limit, bound) < 0
    ? [`${words}, but limit is ${limit}`]
    : [];
}

function checkMaximum({ type, name, bound, request, limit }: Bound): string[] {
  const words = `maximum ${name} usage per ${type} is ${bound}`;
  if (limit === undefined) return [`${words}.  No limit is specified`];
  if (compareQuantities(limit, bound) > 0) return [`${words}, but limit is ${limit}`];
  return request !== undefined && compareQuantities(request, bound) > 0
    ? [`${words}, but request is ${request}`]
    : [];
}

function checkRatio({ type, name, bound, request, limit }: Bound): string[] {
  const words = `${name} max limit to request ratio per ${type} is ${bound}`;
  const asked = request === undefined ? 0 : quantityMilliValue(request);
  if (asked === 0) return [`${words}, but no request is specified or request is 0`];
  const allowed = limit === undefined ? 0 : quantityMilliValue(limit);
  if (allowed === 0) return [`${words}, but no limit is specified or limit is 0`];
  const ratio = allowed / asked;
  return ratio > quantityMilliValue(bound) / 1000
    ? [`${words}, but provided ratio is ${ratio.toFixed(6)}`]
    : [];
}
