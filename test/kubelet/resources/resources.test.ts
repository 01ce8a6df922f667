import test from 'ava';
import { admit } from '../../../kubelet/sources/admission.ts';
import {
  linuxResourcesOf,
  oomScoreAdjustOf,
  quotaOf,
  sharesOf,
} from '../../../kubelet/resources/linux-resources.ts';
import { podCgroupResources } from '../../../kubelet/resources/pod-cgroups.ts';
import { podRequests, qosClassOf } from '../../../kubelet/resources/pod-resources.ts';
import { podOf, sidecar } from '../pod-builder.ts';

const resources = (requests?: Record<string, string>, limits?: Record<string, string>) => ({
  ...(requests ? { requests } : {}),
  ...(limits ? { limits } : {}),
});

test('shares and quota', (t) => {
  t.deepEqual([0, 1, 100, 1000, 2500, 10_000_000].map(sharesOf), [2, 2, 102, 1024, 2560, 262_144]);
  t.deepEqual([0, 5, 500, 2000].map(quotaOf), [0, 1000, 50_000, 200_000]);
});

test('quality of service classes', (t) => {
  t.is(qosClassOf(podOf()), 'BestEffort');
  const both = { cpu: '1', memory: '1Gi' };
  t.is(
    qosClassOf(podOf({ containers: [{ name: 'a', resources: resources(undefined, both) }] })),
    'Guaranteed',
  );
  t.is(
    qosClassOf(podOf({ containers: [{ name: 'a', resources: resources(both, both) }, 'b'] })),
    'Burstable',
  );
  t.is(qosClassOf(podOf({ containers: [{ name: 'a', resources: resources({ cpu: '1' }) }] })), 'Burstable');
  t.is(qosClassOf(podOf({ resources: resources(undefined, both) })), 'Guaranteed');
});

test('what a pod asks for: initialization and sidecars', (t) => {
  const cpu = (amount: string) => ({ resources: resources({ cpu: amount }) });
  const pod = podOf({
    initContainers: [{ name: 'i', ...cpu('500m') }, sidecar('s', cpu('100m')), { name: 'j', ...cpu('1') }],
    containers: [{ name: 'a', ...cpu('200m') }],
    overhead: { cpu: '10m' },
  });
  t.is(podRequests(pod)['cpu'], 1110);
});

test('cgroup values of a container and its pod', (t) => {
  const pod = podOf({
    containers: [
      { name: 'a', resources: resources({ cpu: '250m', memory: '64Mi' }, { cpu: '500m', memory: '128Mi' }) },
      'b',
    ],
  });
  const [a = { name: '' }, b = { name: '' }] = pod.spec.containers;
  const memoryCapacityBytes = 1024 * 1024 * 1024;
  t.like(linuxResourcesOf({ pod, container: a, memoryCapacityBytes }), {
    cpuShares: 256,
    cpuQuota: 50_000,
    cpuPeriod: 100_000,
    memoryLimitInBytes: 134_217_728,
    oomScoreAdj: 938,
  });
  t.is(linuxResourcesOf({ pod, container: b, memoryCapacityBytes }).cpuQuota, undefined);
  // One container without a limit: the pod has none either.
  t.deepEqual(podCgroupResources(pod, 100), { cpuShares: 256, pidsLimit: 100 });
  t.deepEqual(podCgroupResources(podOf()), { cpuShares: 2 });
});

test('who is killed first when memory is short', (t) => {
  const memoryCapacityBytes = 1000;
  const score = (pod: ReturnType<typeof podOf>) => {
    const [container = { name: '' }] = pod.spec.containers;
    return oomScoreAdjustOf({ pod, container, memoryCapacityBytes });
  };
  t.is(score(podOf()), 1000);
  t.is(score(podOf({ priority: 2_000_001_000 })), -997);
  const memory = (amount: string) =>
    podOf({ containers: [{ name: 'a', resources: resources({ memory: amount }) }] });
  t.is(score(memory('500')), 500);
  t.is(score(memory('999')), 3);
  t.is(score(memory('1m')), 999);
});

test('admission: pods, ports and labels', (t) => {
  const allocatable = { cpu: 1000, memory: 1e9, pods: 2 };
  const port = podOf({ containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 8080 }] }] });
  const base = { others: [], allocatable, node: { metadata: { labels: { zone: 'a' } } } };
  t.is(admit({ ...base, pod: port }), undefined);
  t.is(admit({ ...base, pod: port, others: [port] })?.reason, 'NodePorts');
  t.is(admit({ ...base, pod: podOf(), others: [podOf(), podOf()] })?.reason, 'OutOfpods');
  t.is(admit({ ...base, pod: podOf({ nodeSelector: { zone: 'b' } }) })?.reason, 'NodeAffinity');
  t.is(admit({ ...base, pod: podOf({ nodeSelector: { zone: 'a' } }) }), undefined);
  const inZone = (zone: string) => {
    const nodeSelectorTerms = [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }];
    return podOf({
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    });
  };
  t.is(admit({ ...base, pod: inZone('a') }), undefined);
  t.is(admit({ ...base, pod: inZone('b') })?.reason, 'NodeAffinity');
});

test('admission: taints that do not let a Pod run, and another operating system', (t) => {
  const allocatable = { cpu: 1000, memory: 1e9, pods: 2 };
  const tainted = (effect: string) => ({
    others: [],
    allocatable,
    node: { spec: { taints: [{ key: 'k', effect }] } },
  });
  t.is(admit({ ...tainted('NoSchedule'), pod: podOf() }), undefined);
  t.deepEqual(admit({ ...tainted('NoExecute'), pod: podOf() }), {
    reason: 'TaintToleration',
    message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
  });
  const tolerations = [{ key: 'k', operator: 'Exists' }];
  t.is(admit({ ...tainted('NoExecute'), pod: podOf({ tolerations }) }), undefined);
  const fixed = podOf();
  fixed.metadata.annotations = { 'kubernetes.io/config.source': 'file' };
  t.is(admit({ ...tainted('NoExecute'), pod: fixed }), undefined);
  const base = { others: [], allocatable, node: {} };
  t.is(admit({ ...base, pod: podOf({ os: { name: 'linux' } }) }), undefined);
  t.deepEqual(admit({ ...base, pod: podOf({ os: { name: 'windows' } }) }), {
    reason: 'PodOSNotSupported',
    message: "Failed to admit pod as the OS field doesn't match node OS",
  });
});
