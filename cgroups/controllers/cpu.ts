import type { Controller } from './controller.ts';

const DEFAULT_PERIOD_US = 100_000;

/** cpu: weight and quota (cgroups v1 sched-bwc, v2 "CPU Interface Files"). */
export const cpu: Controller = {
  name: 'cpu',
  v1: ({ cpuShares, cpuPeriodUs, cpuQuotaUs }) => [
    ...(cpuShares === undefined ? [] : [['cpu.shares', String(cpuShares)] as [string, string]]),
    ...(cpuPeriodUs === undefined ? [] : [['cpu.cfs_period_us', String(cpuPeriodUs)] as [string, string]]),
    ...(cpuQuotaUs === undefined
      ? []
      : [['cpu.cfs_quota_us', String(Math.max(cpuQuotaUs, -1))] as [string, string]]),
  ],
  v2: ({ cpuShares, cpuPeriodUs = DEFAULT_PERIOD_US, cpuQuotaUs }) => [
    ...(cpuShares === undefined
      ? []
      : [['cpu.weight', String(weightOfShares(cpuShares))] as [string, string]]),
    ...(cpuQuotaUs === undefined
      ? []
      : [['cpu.max', `${cpuQuotaUs < 0 ? 'max' : cpuQuotaUs} ${cpuPeriodUs}`] as [string, string]]),
  ],
};

/**
 * v1's shares (2 to 262144, 1024 is normal) as v2's weight (1 to 10000, 100 is normal), by the curve that runc and crun use
 * since 2025, which keeps minimum, normal and maximum in place (opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value).
 */
export function weightOfShares(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}
