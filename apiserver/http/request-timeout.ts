import { badRequest } from './errors.ts';
import type { RequestInfo } from './request-info.ts';

const STREAMS = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** Those that go on for as long as they like (upstream: server/filters/longrunning.go). */
const isLongRunning = ({ verb, subresource }: RequestInfo): boolean =>
  verb === 'watch' || STREAMS.has(subresource);

/**
 * A client that sets itself a time limit tells it as `timeout=30s`. What isn't long-running is answered sooner; a limit that is no
 * duration is refused before anything else (upstream: endpoints/filters/request_deadline.go). Throws 400.
 */
export function checkTimeout(info: RequestInfo): void {
  const text = info.query.get('timeout');
  if (text === null || text === '' || isLongRunning(info)) return;
  const fault = faultOf(text);
  if (fault !== undefined) throw badRequest(`invalid timeout specified in the request URL - time: ${fault}`);
}

const AMOUNT_AND_UNIT = /(?:\d+\.?\d*|\.\d+)([^.\d]*)/g;
const UNITS = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h']);

/** What Go's time.ParseDuration finds wrong. */
function faultOf(text: string): string | undefined {
  const bare = text.replace(/^[-+]/, '');
  if (bare === '0') return undefined;
  const parts = [...bare.matchAll(AMOUNT_AND_UNIT)];
  const quoted = `duration ${JSON.stringify(text)}`;
  if (bare === '' || parts.map(([part]) => part).join('') !== bare) return `invalid ${quoted}`;
  const unit = parts.find(([, name = '']) => !UNITS.has(name))?.[1];
  if (unit === undefined) return undefined;
  return unit === '' ? `missing unit in ${quoted}` : `unknown unit ${JSON.stringify(unit)} in ${quoted}`;
}
