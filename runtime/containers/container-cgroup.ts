import type { CgroupResources } from '../../cgroups/index.ts';
import type { LinuxContainerResources } from '../cri/types.ts';
import type { ContainerSpec } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import { devicesFor } from './devices.ts';
import type { ContainerRecord } from './record.ts';
import { securityOf } from './status.ts';

/** Makes the container's cgroup with its limits and the devices it may use. */
export function prepareContainerCgroup(runtime: Runtime, container: ContainerRecord): void {
  const { cgroupPath, config, resources } = container;
  const privileged = securityOf(config)?.privileged ?? false;
  const devices = privileged
    ? 'all'
    : devicesFor(config).map(({ type, major, minor, permissions }) => ({
        type,
        major,
        minor,
        access: permissions,
      }));
  runtime.cgroups.createCgroup(cgroupPath, { ...cgroupResources(resources), devices });
}

/**
 * CRI's resources in the words of cgroups/; what is 0 or empty is not set. A memory limit alone is also that of memory and swap together,
 * as in containerd: a container does not swap unless it is given more.
 */
export function cgroupResources(resources: LinuxContainerResources | null): CgroupResources {
  if (resources === null) return {};
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimitInBytes, memorySwapLimitInBytes } = resources;
  const set = {
    cpuShares,
    cpuQuotaUs: cpuQuota,
    cpuPeriodUs: cpuPeriod,
    memoryLimitBytes: memoryLimitInBytes,
    memorySwapLimitBytes: memorySwapLimitInBytes || memoryLimitInBytes,
    cpusetCpus: resources.cpusetCpus,
    cpusetMems: resources.cpusetMems,
    unified: resources.unified,
    hugepageLimits: resources.hugepageLimits.map(({ pageSize, limit }) => ({ pageSize, limitBytes: limit })),
  };
  const given = Object.entries(set).filter(([, value]) => value !== 0 && value !== '');
  return Object.fromEntries(given) as CgroupResources;
}

/** What the shim needs to know of the container's cgroup. */
export function cgroupFacts(
  runtime: Runtime,
  { cgroupPath }: ContainerRecord,
): NonNullable<ContainerSpec['cgroup']> {
  const { cgroups } = runtime;
  const oomFile = cgroups.oomFile(cgroupPath);
  const [processesFile] = cgroups.cgroupProcsFiles(cgroupPath);
  return {
    entrance: cgroups.entranceOf(cgroupPath),
    directories: cgroups.directoriesFor(cgroupPath),
    ...(oomFile === undefined ? {} : { oomFile }),
    ...(processesFile === undefined ? {} : { processesFile }),
  };
}
