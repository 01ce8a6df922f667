import { type CgroupDirectory, type Controller, orNoLimit, readValue, writeValue } from './controller.ts';

const defaultPeriodUs = 100000;

/** CPU shares and quota: cpu.shares, cpu.cfs_quota_us and cpu.cfs_period_us, or cpu.weight and cpu.max. */
export const cpu: Controller = {
  name: 'cpu',
  apply(directory, { cpuShares, cpuQuotaUs, cpuPeriodUs }) {
    if (cpuShares !== undefined && cpuShares > 0) writeShares(directory, cpuShares);
    if (cpuQuotaUs === undefined && cpuPeriodUs === undefined) return;
    if (directory.version === 2) writeMaximum(directory, cpuQuotaUs, cpuPeriodUs);
    else writeQuota(directory, cpuQuotaUs, cpuPeriodUs);
  },
};

function writeShares(directory: CgroupDirectory, shares: number): void {
  if (directory.version === 2) writeValue(directory, 'cpu.weight', weightOfShares(shares));
  else writeValue(directory, 'cpu.shares', Math.floor(shares));
}

/**
 * The v2 weight (1 to 10000, 100 by default) for v1 shares (2 to 262144, 1024 by default), so that the defaults meet: the formula
 * of opencontainers/cgroups since 2025 (pull request 20), which runc and crun share.
 */
export function weightOfShares(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

function writeMaximum(directory: CgroupDirectory, quotaUs?: number, periodUs?: number): void {
  const [quotaNow = 'max', periodNow = String(defaultPeriodUs)] = readValue(directory, 'cpu.max').split(' ');
  const quota = quotaUs === undefined ? quotaNow : orNoLimit(quotaUs, 'max');
  writeValue(directory, 'cpu.max', `${quota} ${periodUs ?? periodNow}`);
}

// The kernel refuses a quota-to-period ratio above the parent's at every step, so the order matters when both change.
function writeQuota(directory: CgroupDirectory, quotaUs?: number, periodUs?: number): void {
  const writeBoth = [
    () => periodUs !== undefined && writeValue(directory, 'cpu.cfs_period_us', periodUs),
    () => quotaUs !== undefined && writeValue(directory, 'cpu.cfs_quota_us', orNoLimit(quotaUs, '-1')),
  ];
  try {
    for (const write of writeBoth) write();
  } catch (error) {
    if (periodUs === undefined || quotaUs === undefined) throw error;
    for (const write of writeBoth.toReversed()) write();
  }
}
