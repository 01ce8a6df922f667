const SECOND = 1;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** How long ago a timestamp is, e.g. "5m30s", as tables show it; "<unknown>" without one. */
export function age(timestamp: string | undefined, now = Date.now()): string {
  if (timestamp === undefined || timestamp === '') return '<unknown>';
  return humanDuration((now - Date.parse(timestamp)) / 1000);
}

/** A duration in at most two units, coarser as it grows (upstream: apimachinery/pkg/util/duration HumanDuration). */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  if (whole < -1) return '<invalid>';
  if (whole < 0) return '0s';
  if (whole < 2 * MINUTE) return `${whole}s`;
  const minutes = Math.trunc(whole / MINUTE);
  if (minutes < 10) return two(minutes, 'm', whole % MINUTE, 's');
  if (minutes < 3 * 60) return `${minutes}m`;
  const hours = Math.trunc(whole / HOUR);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(whole / DAY);
  if (hours < 8 * 24) return two(days, 'd', hours % 24, 'h');
  if (whole < 2 * YEAR) return `${days}d`;
  const years = Math.trunc(whole / YEAR);
  if (whole < 8 * YEAR) return two(years, 'y', days % 365, 'd');
  return `${years}y`;
}

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
