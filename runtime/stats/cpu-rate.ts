interface Sample {
  usageNs: number;
  atNs: number;
  rate: number;
}

const samples = new Map<string, Sample>();
const shortestNs = 500e6;
const forgottenNs = 600e9;

/**
 * Nanocores used since the last time somebody asked about the same cgroup; asked again within half a second it says the same,
 * for so short a time tells nothing. 0 the first time.
 */
export function cpuRate(path: string, usageNs: number, atNs: number): number {
  const last = samples.get(path);
  if (last !== undefined && atNs - last.atNs < shortestNs) return last.rate;
  const rate = last === undefined ? 0 : Math.max(0, ((usageNs - last.usageNs) / (atNs - last.atNs)) * 1e9);
  samples.set(path, { usageNs, atNs, rate });
  for (const [other, sample] of samples) if (atNs - sample.atNs > forgottenNs) samples.delete(other);
  return rate;
}
