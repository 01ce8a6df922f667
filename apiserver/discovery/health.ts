import { quote } from '../../api/go-format.ts';

/** One named check; throws when it fails. */
export interface HealthCheck {
  name: string;
  /** The one endpoint that makes it; without it all do. */
  endpoint?: 'readyz';
  check(): Promise<void>;
}

export interface HealthReport {
  healthy: boolean;
  text: string;
}

/** Runs checks for /healthz, /livez and /readyz in upstream's layout: "ok", or a line per check with ?verbose or on failure. */
export async function reportHealth(options: {
  endpoint: string;
  checks: HealthCheck[];
  query: URLSearchParams;
}): Promise<HealthReport> {
  const { endpoint, checks, query } = options;
  const excluded = query.getAll('exclude');
  const lines = await Promise.all(
    checks.map((check) => (excluded.includes(check.name) ? excludedLine(check) : run(check))),
  );
  const healthy = lines.every(({ passed }) => passed);
  const unknown = [...new Set(excluded)].filter((name) => !checks.some((check) => check.name === name));
  const details = lines.map(({ line }) => `${line}\n`).join('') + warningOf(unknown);
  if (!healthy) return { healthy, text: `${details}${endpoint} check failed\n` };
  return { healthy, text: query.has('verbose') ? `${details}${endpoint} check passed\n` : 'ok' };
}

/** Runs one check for a path of its own, which fewer may read: it tells the reason. */
export async function reportCheck(health: HealthCheck): Promise<HealthReport> {
  try {
    await health.check();
    return { healthy: true, text: 'ok' };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { healthy: false, text: `internal server error: ${why}\n` };
  }
}

const warningOf = (unknown: string[]): string =>
  unknown.length === 0
    ? ''
    : `warn: some health checks cannot be excluded: no matches for ${unknown.toSorted().map(quote).join(',')}\n`;

const excludedLine = ({ name }: HealthCheck) =>
  Promise.resolve({ passed: true, line: `[+]${name} excluded: ok` });

async function run(health: HealthCheck): Promise<{ passed: boolean; line: string }> {
  try {
    await health.check();
    return { passed: true, line: `[+]${health.name} ok` };
  } catch {
    // The reason stays in the server's log: health is readable by everybody.
    return { passed: false, line: `[-]${health.name} failed: reason withheld` };
  }
}
