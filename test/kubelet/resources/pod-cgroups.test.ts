import test from 'ava';
import { createPodCgroups } from '../../../kubelet/resources/pod-cgroups.ts';
import type { CgroupResources } from '../../../kubelet/resources/pod-cgroups.ts';
import { podOf } from '../pod-builder.ts';

test('the hierarchy of kubepods, and the weight of its classes', async (t) => {
  const made = new Map<string, CgroupResources>();
  const tree = {
    createCgroup: (path: string, resources: CgroupResources) => made.set(path, resources),
    updateCgroup: (path: string, resources: CgroupResources) => made.set(path, resources),
    removeCgroup: (path: string) => made.delete(path),
    exists: (path: string) => made.has(path),
    children: (path: string) =>
      [...made.keys()]
        .filter((one) => one.startsWith(`${path}/`) && !one.slice(path.length + 1).includes('/'))
        .map((one) => one.slice(path.length + 1)),
  };
  const cgroups = createPodCgroups({ tree, root: '/pw/c/node-1', allocatableMilliCpu: 2000 });
  const named = (uid: string, cpu?: string) => {
    const pod = podOf({
      containers: [{ name: 'a', ...(cpu ? { resources: { requests: { cpu } } } : {}) }],
    });
    return { ...pod, metadata: { ...pod.metadata, uid } };
  };
  const [one, two, effort] = [named('one', '500m'), named('two', '250m'), named('effort')];
  for (const pod of [one, two, effort]) await cgroups.ensure(pod);
  t.is(cgroups.pathOf(one), '/pw/c/node-1/kubepods/burstable/podone');
  t.is(cgroups.pathOf(effort), '/pw/c/node-1/kubepods/besteffort/podeffort');
  t.deepEqual(made.get('/pw/c/node-1/kubepods'), { cpuShares: 2048 });
  t.deepEqual(made.get('/pw/c/node-1/kubepods/besteffort'), { cpuShares: 2 });
  t.deepEqual(made.get('/pw/c/node-1/kubepods/burstable'), { cpuShares: 768 });
  t.deepEqual(made.get(cgroups.pathOf(one)), { cpuShares: 512 });
  t.deepEqual(
    cgroups
      .existing()
      .map(({ uid }) => uid)
      .sort(),
    ['effort', 'one', 'two'],
  );
  await cgroups.remove(one);
  t.deepEqual(made.get('/pw/c/node-1/kubepods/burstable'), { cpuShares: 256 });
  t.false(made.has(cgroups.pathOf(one)));
});
