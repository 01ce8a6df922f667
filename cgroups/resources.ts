/** What a cgroup may use. A field that is not given stays as it is. */
export interface CgroupResources {
  /** 2 to 262144, as cgroup v1 has it; on v2 it becomes a weight. */
  cpuShares?: number;
  /** Microseconds of CPU in each period; zero or less is no limit. */
  cpuQuotaUs?: number;
  cpuPeriodUs?: number;
  /** Zero or less is no limit. */
  memoryLimitBytes?: number;
  /** Memory and swap together, as CRI has it; zero or less is no limit. */
  memorySwapLimitBytes?: number;
  /** Zero or less is no limit. */
  pidsLimit?: number;
  /** Lists such as `0-3,7`. */
  cpusetCpus?: string;
  cpusetMems?: string;
  hugepageLimits?: { pageSize: string; limitBytes: number }[];
  /** Files of cgroup v2 and what to write into them, such as `memory.oom.group: '1'`. Nothing on v1. */
  unified?: Record<string, string>;
  /** The devices that may be used besides every container's own (controllers/devices.ts); `all`: no restriction. */
  devices?: DeviceRule[] | 'all';
}

export interface DeviceRule {
  /** `c` or `b`, as in ls -l. */
  type: string;
  /** Undefined is any. */
  major?: number;
  minor?: number;
  /** Letters of r, w and m (mknod). */
  access: string;
}
