/** One named check; throws when it fails. */
export interface HealthCheck {
  name: string;
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
  const details = lines.map(({ line }) => `${line}\n`).join('');
  if (!healthy) return { healthy, text: `${details}${endpoint} check failed\n` };
  return { healthy, text: query.has('verbose') ? `${details}${endpoint} check passed\n` : 'ok' };
}

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
