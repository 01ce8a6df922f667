const toleranceMs = 5;
let originMs = performance.timeOrigin;

/**
 * Now, in nanoseconds since 1970, as precise as a number holds it. The precise clock starts with the process and stands still while the
 * machine sleeps: when the time of day has gone another way, that counts, as it does for the times that the kernel and the shim give.
 */
export const nowNs = (): number => {
  const beforeMs = performance.now();
  const ofDayMs = Date.now();
  const elapsedMs = performance.now();
  const wasInterrupted = elapsedMs - beforeMs > 1;
  const isOff = Math.abs(ofDayMs - (originMs + elapsedMs)) > toleranceMs;
  if (isOff && !wasInterrupted) originMs = ofDayMs - elapsedMs;
  return (originMs + elapsedMs) * 1e6;
};
