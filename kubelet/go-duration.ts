/** Milliseconds as Go prints a time.Duration: `10s`, `2m40s`, `1.5s`, `12ms`, `0s`. */
export function goDuration(durationMs: number): string {
  const ms = Math.round(durationMs);
  if (ms === 0) return '0s';
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = Number(((ms % 60_000) / 1000).toFixed(3));
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
