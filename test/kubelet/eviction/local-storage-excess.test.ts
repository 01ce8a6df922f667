import test from 'ava';
import type { Container } from '../../../api/types.ts';
import { excessOf } from '../../../kubelet/eviction/local-storage-excess.ts';
import { ephemeralStorageLimit } from '../../../kubelet/eviction/local-storage-limits.ts';
import type { LocalStorageUsage } from '../../../kubelet/eviction/local-storage-usage.ts';
import { podOf, sidecar } from '../pod-builder.ts';

const MiB = 1 << 20;

const limited = (name: string, limit: string): Container => ({
  name,
  resources: { limits: { 'ephemeral-storage': limit } },
});

const usage = (
  containers: [name: string, layerBytes: number, logBytes: number][],
  more: Partial<LocalStorageUsage> = {},
): LocalStorageUsage => ({
  emptyDirs: new Map(),
  containers: containers.map(([name, layerBytes, logBytes]) => ({ name, layerBytes, logBytes })),
  layersAreApart: false,
  podFilesBytes: 0,
  ...more,
});

test('an emptyDir over its sizeLimit, on the disk and in memory', (t) => {
  const pod = podOf({
    volumes: [
      { name: 'free', emptyDir: {} },
      { name: 'data', emptyDir: { sizeLimit: '1Mi' } },
      { name: 'none', emptyDir: { sizeLimit: '0' } },
    ],
  });
  const used = (bytes: number) =>
    usage([], { emptyDirs: new Map(['free', 'data', 'none'].map((name) => [name, bytes])) });
  t.is(excessOf(pod, used(MiB)), undefined);
  t.deepEqual(excessOf(pod, used(MiB + 1)), {
    signal: 'emptydirfs.limit',
    message: 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ',
  });
});

test('a container over its limit, and the Pod not', (t) => {
  const pod = podOf({ containers: [limited('small', '1024Ki'), limited('big', '9Mi')] });
  t.is(excessOf(pod, usage([['small', MiB - 4096, 4096]])), undefined);
  t.deepEqual(excessOf(pod, usage([['small', MiB, 4096]])), {
    signal: 'ephemeralcontainerfs.limit',
    message: 'Container small exceeded its local ephemeral storage limit "1Mi". ',
  });
  t.is(excessOf(pod, usage([['small', MiB, 4096]], { layersAreApart: true })), undefined);
  t.like(excessOf(pod, usage([['small', 0, MiB + 1]], { layersAreApart: true })), {
    signal: 'ephemeralcontainerfs.limit',
  });
});

test('all of a Pod together over what its containers may have', (t) => {
  const volumes = [
    { name: 'disk', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '100Mi' } },
  ];
  const pod = podOf({ containers: [limited('main', '2Mi'), limited('other', '2Mi'), 'free'], volumes });
  const used = (diskBytes: number) =>
    usage([['free', MiB, MiB]], {
      emptyDirs: new Map([
        ['disk', diskBytes],
        ['memory', 50 * MiB],
      ]),
      podFilesBytes: 4096,
    });
  t.is(excessOf(pod, used(2 * MiB - 4096)), undefined);
  t.deepEqual(excessOf(pod, used(2 * MiB)), {
    signal: 'ephemeralpodfs.limit',
    message: 'Pod ephemeral local storage usage exceeds the total limit of containers 4Mi. ',
  });
  t.is(excessOf(podOf({ volumes }), used(500 * MiB)), undefined);
});

test('what the containers may have together', (t) => {
  t.is(ephemeralStorageLimit(podOf()), undefined);
  t.is(ephemeralStorageLimit(podOf({ overhead: { 'ephemeral-storage': '1Mi' } })), undefined);
  t.is(ephemeralStorageLimit(podOf({ containers: [limited('a', '0')] })), '0');
  const containers = [limited('a', '100M'), limited('b', '1Mi')];
  t.is(ephemeralStorageLimit(podOf({ containers })), '101048576');
  const initContainers = [
    limited('before', '1Gi'),
    sidecar('beside', limited('beside', '1Gi')),
    limited('after', '2Gi'),
  ];
  t.is(ephemeralStorageLimit(podOf({ containers: [limited('a', '1Gi')], initContainers })), '3Gi');
  t.is(ephemeralStorageLimit(podOf({ containers: [limited('a', '3Gi')], initContainers })), '4Gi');
  const overhead = { 'ephemeral-storage': '1Gi' };
  t.is(ephemeralStorageLimit(podOf({ containers: [limited('a', '1Gi')], overhead })), '2Gi');
});
