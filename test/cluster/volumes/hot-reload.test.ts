import { existsSync, readFileSync, readlinkSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { pods } from '../../../client/resources.ts';
import { stopDaemon } from '../../../cluster/daemons.ts';
import { up } from '../../../cluster/up.ts';
import { readMountInfo } from '../../../linux/mount-info.ts';
import { useCluster } from './test-cluster.ts';
import { until } from '../../environment.ts';

const cluster = useCluster(test, 'vv-reload');

const text = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

test.serial('every kind of file follows, environment and sub path stay', async (t) => {
  const c = await cluster();
  await c.configMap('live', { value: 'c1' });
  await c.secret('live', { value: 's1' });
  const pod = await c.runningPod({
    labels: { version: 'l1' },
    volumes: [
      { name: 'config', configMap: { name: 'live' } },
      { name: 'secret', secret: { secretName: 'live' } },
      {
        name: 'info',
        downwardAPI: { items: [{ path: 'value', fieldRef: { fieldPath: "metadata.labels['version']" } }] },
      },
      { name: 'all', projected: { sources: [{ configMap: { name: 'live' } }] } },
      { name: 'out', emptyDir: {} },
    ],
    container: {
      env: [{ name: 'VALUE', valueFrom: { configMapKeyRef: { name: 'live', key: 'value' } } }],
      volumeMounts: [
        ...['config', 'secret', 'info', 'all', 'out'].map((name) => ({ name, mountPath: `/${name}` })),
        { name: 'config', mountPath: '/frozen', subPath: 'value' },
      ],
    },
    script:
      'while :; do echo $(for f in /config/value /secret/value /info/value /all/value /frozen; do cat $f; echo; done) $VALUE > /out/t; mv /out/t /out/seen; sleep 0.05; done',
  });
  const seen = join(c.volumePath(pod, 'empty-dir', 'out'), 'seen');
  const sees = (line: string) => until('the reader saw the line', () => text(seen) === `${line}\n`);
  await sees('c1 s1 l1 c1 c1 c1');
  const { name = '', namespace = '' } = pod.metadata ?? {};
  await c.changeConfigMap('live', { value: 'c2' });
  await c.changeSecret('live', { value: 's2' });
  await c.client
    .resource(pods)
    .patch({ name, namespace, type: 'merge', patch: { metadata: { labels: { version: 'l2' } } } });
  await sees('c2 s2 l2 c2 c1 c1');
  t.is(text(join(c.volumePath(pod, 'configmap', 'config'), 'value')), 'c2');
});

test.serial('many Pods follow one ConfigMap, each by one switch of its folder', async (t) => {
  const c = await cluster();
  await c.configMap('shared', { value: 'v0' });
  const volumes = [{ name: 'config', configMap: { name: 'shared' } }];
  const running = await Promise.all(Array.from({ length: 8 }, () => c.runningPod({ volumes })));
  const paths = running.map((pod) => c.volumePath(pod, 'configmap', 'config'));
  const switches = new Map(paths.map((path) => [path, 0]));
  using watches = new DisposableStack();
  for (const path of paths) {
    const watcher = watch(path, (_event, name) => {
      if (name === '..data') switches.set(path, (switches.get(path) ?? 0) + 1);
    });
    watches.defer(() => watcher.close());
  }
  await c.changeConfigMap('shared', { value: 'v1' });
  await until('v1 in every Pod', () => paths.every((path) => text(join(path, 'value')) === 'v1'));
  await until('a switch in every Pod', () => [...switches.values()].every((count) => count > 0));
  t.deepEqual([...new Set(switches.values())], [1]);
  await Promise.all(running.map((pod) => c.deletePod(pod)));
});

const watcherProgram = `
require('node:fs').watch('/config', (event, name) => console.log(event, name.replace(/^\\.\\.2.*/, '..time')));
console.log('watching');
`;

test.serial('a program in the container that watches the folder sees one switch', async (t) => {
  const c = await cluster();
  await c.configMap('watched', { value: 'v0', other: 'v0' });
  // On another file system than the host's root it is not in the host's image.
  const folder = dirname(process.execPath);
  const pod = await c.runningPod({
    volumes: [
      { name: 'config', configMap: { name: 'watched' } },
      { name: 'node', hostPath: { path: folder } },
    ],
    container: {
      image: 'podwright.local/host',
      command: [process.execPath, '-e', watcherProgram],
      volumeMounts: [
        { name: 'config', mountPath: '/config' },
        { name: 'node', mountPath: folder, readOnly: true },
      ],
    },
  });
  await until('the Pod watches', async () => (await c.logs(pod)).includes('watching'));
  await c.changeConfigMap('watched', { value: 'v1', other: 'v1' });
  await until(
    'a second rename of ..data',
    async () => (await c.logs(pod)).split('rename ..time').length === 3,
  );
  const seen = ['..time', '..data_tmp', '..data_tmp', '..data', '..time'].map((name) => `rename ${name}`);
  t.deepEqual((await c.logs(pod)).trim().split('\n'), ['watching', ...seen]);
  await c.deletePod(pod);
});

test.serial('after SIGKILL of the node’s daemon the volumes are the same, and follow on', async (t) => {
  const c = await cluster();
  await c.configMap('killed', { value: 'v1' });
  await c.secret('killed', { value: 'v1' });
  const pod = await c.runningPod({
    volumes: [
      { name: 'config', configMap: { name: 'killed' } },
      { name: 'secret', secret: { secretName: 'killed' } },
      { name: 'data', emptyDir: { medium: 'Memory' } },
    ],
  });
  const podDir = join(c.kubeletDir, 'pods', pod.metadata?.uid ?? '');
  const mountIds = () =>
    readMountInfo()
      .filter(({ mountPoint }) => mountPoint.includes(`${podDir}/`))
      .map(({ id, mountPoint }) => `${id} ${mountPoint}`);
  const containerOf = async () => {
    const found = await c.client.resource(pods).get({ name: pod.metadata?.name ?? '', namespace: 'default' });
    const [status] = found.status?.containerStatuses ?? [];
    return [status?.containerID, status?.restartCount, status?.state?.running?.startedAt];
  };
  const before = { mounts: mountIds(), container: await containerOf() };
  t.true(before.mounts.length >= 3);
  const data = join(c.volumePath(pod, 'configmap', 'config'), '..data');
  const version = readlinkSync(data);
  await stopDaemon(c.name, 'node-1', { signal: 'SIGKILL' });
  t.deepEqual(mountIds(), before.mounts);
  await up({ name: c.name });
  t.is(readlinkSync(data), version);
  await c.changeConfigMap('killed', { value: 'v2' });
  await until('the value v2', () => text(join(data, 'value')) === 'v2');
  t.deepEqual({ mounts: mountIds(), container: await containerOf() }, before);
});

test.serial('what changed while the node’s daemon was dead is there when it is back', async (t) => {
  const c = await cluster();
  await c.configMap('outage', { value: 'v1' });
  const pod = await c.runningPod({ volumes: [{ name: 'config', configMap: { name: 'outage' } }] });
  const file = join(c.volumePath(pod, 'configmap', 'config'), 'value');
  t.is(text(file), 'v1');
  await stopDaemon(c.name, 'node-1', { signal: 'SIGKILL' });
  await c.changeConfigMap('outage', { value: 'v2' });
  t.is(text(file), 'v1');
  await up({ name: c.name });
  await until('the file v2', () => text(file) === 'v2');
});
