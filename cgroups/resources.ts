/** Limits of one cgroup; what is left out stays as it is. Numbers as the CRI has them. */
export interface CgroupResources {
  /** Relative CPU weight in v1's scale, 2 to 262144. */
  cpuShares?: number;
  /** CPU time per period; negative is no limit. */
  cpuQuotaUs?: number;
  cpuPeriodUs?: number;
  /** Negative is no limit. */
  memoryLimitBytes?: number;
  /** Memory and swap together; equal to the memory limit means no swap. Negative is no limit. */
  memorySwapLimitBytes?: number;
  /** Zero or negative is no limit. */
  pidsLimit?: number;
  /** Lists such as `0-3,7`. */
  cpusetCpus?: string;
  cpusetMems?: string;
  hugepageLimits?: { pageSize: string; limitBytes: number }[];
  /** Files of cgroup v2 and what to write into them; refused where the host has no v2. */
  unified?: Record<string, string>;
  /** The devices that may be used, or all. Left out: as the parent. */
  devices?: 'all' | DeviceRule[];
}

export interface DeviceRule {
  type: 'a' | 'b' | 'c';
  /** Undefined: any. */
  major?: number | undefined;
  minor?: number | undefined;
  /** Of r, w and m. */
  access: string;
}

/** What a cgroup and everything below it uses; a field is missing where its controller is. */
export interface CgroupStats {
  cpuUsageNs?: number;
  memoryUsageBytes?: number;
  /** Usage without the file cache that could be dropped at once (the kubelet's definition). */
  memoryWorkingSetBytes?: number;
  rssBytes?: number;
  pageFaults?: number;
  majorPageFaults?: number;
  pids?: number;
}
