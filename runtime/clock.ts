/** Now, in nanoseconds since 1970, as precise as a number holds it. */
export const nowNs = (): number => (performance.timeOrigin + performance.now()) * 1e6;
