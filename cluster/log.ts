import pino from 'pino';

/** The log of one component: JSON lines on stderr, which a daemon's starter sends to logs/COMPONENT.log. */
export function componentLog(component: string): pino.Logger {
  const level = process.env.PODWRIGHT_LOG_LEVEL ?? 'info';
  return pino(
    { name: component, level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    // Each line is written before the next step: the last one before a crash is the one that tells.
    pino.destination({ dest: 2, sync: true }),
  );
}
