import type { Logger } from 'pino';

/**
 * Logs what was asked for and could not be done, once for each thing: what this machine lacks (such as CAP_SYS_RESOURCE, to lower
 * an oom_score_adj) it lacks for every sandbox and container.
 */
export function createWarnings(log: Logger): (fields: object, warnings: string[]) => void {
  const said = new Set<string>();
  return (fields, warnings) => {
    for (const warning of warnings) {
      if (said.has(warning)) continue;
      said.add(warning);
      log.warn(fields, warning);
    }
  };
}
