import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { cgroupResources } from '../../../runtime/containers/container-cgroup.ts';
import type { LinuxContainerResources } from '../../../runtime/cri/types.ts';
import { scratchCgroup } from '../../cgroups/scratch.ts';
import { skipUnless } from '../../environment.ts';

const limit = 64 * 1024 * 1024;

/** As they come over the socket: what is not given is 0 or empty. */
const resources = (given: Partial<LinuxContainerResources>): LinuxContainerResources => ({
  cpuPeriod: 0,
  cpuQuota: 0,
  cpuShares: 0,
  memoryLimitInBytes: 0,
  oomScoreAdj: 0,
  cpusetCpus: '',
  cpusetMems: '',
  hugepageLimits: [],
  unified: {},
  memorySwapLimitInBytes: 0,
  ...given,
});

test('a memory limit alone leaves no swap; what is asked for besides is given', (t) => {
  const swapOf = (given: Partial<LinuxContainerResources>) =>
    cgroupResources(resources(given)).memorySwapLimitBytes;
  t.is(swapOf({}), undefined);
  t.is(swapOf({ memoryLimitInBytes: limit }), limit);
  t.is(swapOf({ memoryLimitInBytes: limit, memorySwapLimitInBytes: 2 * limit }), 2 * limit);
  t.is(swapOf({ memoryLimitInBytes: limit, memorySwapLimitInBytes: -1 }), -1);
});

test('the kernel holds a container with a memory limit alone to it, swap included', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  cgroups.createCgroup(path, cgroupResources(resources({ memoryLimitInBytes: limit })));
  const files = Object.values(cgroups.directoriesFor(path)).flatMap((directory) =>
    ['memory.swap.max', 'memory.memsw.limit_in_bytes'].map((name) => join(directory, name)),
  );
  const file = files.find((name) => existsSync(name));
  if (skipUnless(t, file !== undefined, 'the kernel does not count swap')) return;
  t.is(readFileSync(file ?? '', 'utf8'), `${file?.endsWith('swap.max') ? 0 : limit}\n`);
});
