import pino from 'pino';

/** Of lines that wait for room on the disk; what is more is lost. */
const mostWaitingBytes = 1024 * 1024;

/** The log of one component: JSON lines on stderr, which a daemon's starter sends to logs/COMPONENT.log. */
export function componentLog(component: string): pino.Logger {
  const level = process.env.PODWRIGHT_LOG_LEVEL ?? 'info';
  // Each line is written before the next step: the last one before a crash is the one that tells.
  const destination = pino.destination({ dest: 2, sync: true, maxLength: mostWaitingBytes });
  // A full disk is no reason to end: what could not be written is tried again with the next line.
  destination.on('error', () => undefined);
  return pino({ name: component, level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
