/** Writes a line about what a component does; does nothing (and costs nothing) when that component is not traced. */
export type Trace = (message: string, fields?: Record<string, unknown>) => void;

const silent: Trace = () => undefined;

/**
 * Tracing for one component, switched on by PODWRIGHT_DEBUG, a comma-separated list of names (`kubelet,csi`; `*` is all):
 * `trace('kubelet')('pod synced', { pod, phase })` writes `2026-01-01T00:00:00.000Z kubelet pod synced pod=a/b phase=Running` to stderr.
 */
export function trace(component: string, wanted = process.env['PODWRIGHT_DEBUG'] ?? ''): Trace {
  const names = wanted.split(',').map((name) => name.trim());
  if (!names.includes(component) && !names.includes('*')) return silent;
  return (message, fields = {}) => {
    const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${inWords(value)}`);
    process.stderr.write(`${new Date().toISOString()} ${component} ${message}${pairs.join('')}\n`);
  };
}

function inWords(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return /[\s"]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text;
}
