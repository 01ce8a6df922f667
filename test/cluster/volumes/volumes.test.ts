import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { readClusterFile } from '../../../cluster/cluster-file.ts';
import { clusterPaths } from '../../../cluster/paths.ts';
import { CommandError, run } from '../../../linux/command.ts';
import { readMountInfo } from '../../../linux/mount-info.ts';
import { mount, unmount } from '../../../linux/mount.ts';
import { useCluster } from './test-cluster.ts';
import { until } from '../../environment.ts';

const cluster = useCluster(test, 'vv-volumes');

const scratch = (t: ExecutionContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'vv-cluster-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
};

test('an emptyDir is shared by the containers and survives the restart of one', async (t) => {
  const c = await cluster();
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  const pod = await c.createPod({
    volumes: [{ name: 'data', emptyDir: {} }],
    script:
      'echo run >> /data/runs; while [ ! -e /data/go ]; do sleep 0.1; done; [ $(wc -l < /data/runs) -gt 1 ] && sleep 1000000',
    spec: {
      restartPolicy: 'Always',
      initContainers: [
        {
          name: 'init',
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
          command: ['touch', '/data/go'],
          volumeMounts,
        },
      ],
    },
  });
  const running = await c.until(pod, ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
  const path = c.volumePath(running, 'empty-dir', 'data');
  await until('the container ran twice', () => readFileSync(join(path, 'runs'), 'utf8') === 'run\nrun\n');
  await c.deletePod(running);
  await until(
    'the Pod folder is gone',
    () => !existsSync(join(c.kubeletDir, 'pods', running.metadata?.uid ?? '')),
  );
  t.pass();
});

test('an emptyDir in memory is a tmpfs of its sizeLimit', async (t) => {
  const c = await cluster();
  const output = await c.output({
    volumes: [{ name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }],
    script: 'grep " /memory " /proc/mounts; dd if=/dev/zero of=/memory/x bs=1k count=2000 2>&1 | head -1',
  });
  t.regex(output, /^tmpfs \/memory tmpfs rw,.*size=1024k/);
  t.regex(output, /No space left on device/);
});

test('more than the sizeLimit on the disk: Evicted', async (t) => {
  const c = await cluster();
  const pod = await c.createPod({
    volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }],
    script: 'dd if=/dev/zero of=/data/x bs=1M count=3; sleep 1000000',
  });
  const { status } = await c.until(pod, ({ status: now }) => now?.phase === 'Failed');
  t.is(status?.reason, 'Evicted');
  t.is(status?.message, 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ');
});

test('more than the ephemeral-storage limit in the container’s own files: Evicted', async (t) => {
  const c = await cluster();
  const pod = await c.createPod({
    container: { resources: { limits: { 'ephemeral-storage': '1Mi' } } },
    script: 'dd if=/dev/zero of=/x bs=1M count=3; sleep 1000000',
  });
  const { status } = await c.until(pod, ({ status: now }) => now?.phase === 'Failed');
  t.is(status?.reason, 'Evicted');
  t.is(status?.message, 'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ');
});

test('a hostPath outlives its Pod, and a wrong type is an event', async (t) => {
  const c = await cluster();
  const host = scratch(t);
  const path = join(host, 'made');
  const volumes = [{ name: 'host', hostPath: { path, type: 'DirectoryOrCreate' } }];
  await c.output({ volumes, script: 'echo kept > /host/file' });
  t.is(readFileSync(join(path, 'file'), 'utf8'), 'kept\n');
  const wrong = await c.createPod({
    volumes: [{ name: 'host', hostPath: { path: join(path, 'file'), type: 'Directory' } }],
  });
  const message = `MountVolume.SetUp failed for volume "host" : hostPath type check failed: ${path}/file is not a directory`;
  t.is((await c.eventOf(wrong, 'FailedMount', message)).type, 'Warning');
  await c.deletePod(wrong);
});

test('configMap, secret, downwardAPI and projected, as the container sees them', async (t) => {
  const c = await cluster();
  await c.configMap('seen', { a: '1', b: '2' });
  await c.secret('seen', { password: 'hunter2' });
  const field = { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } };
  const limit = {
    path: 'cpu',
    resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' },
  };
  const output = await c.output({
    labels: { app: 'x' },
    volumes: [
      {
        name: 'config',
        configMap: { name: 'seen', items: [{ key: 'b', path: 'deep/b' }], defaultMode: 0o440 },
      },
      { name: 'secret', secret: { secretName: 'seen', defaultMode: 0o400 } },
      { name: 'info', downwardAPI: { items: [field, limit] } },
      {
        name: 'all',
        projected: { sources: [{ configMap: { name: 'seen' } }, { serviceAccountToken: { path: 'token' } }] },
      },
      { name: 'optional', configMap: { name: 'none', optional: true } },
    ],
    container: { resources: { limits: { cpu: '250m' } } },
    script: [
      'cat /config/deep/b /secret/password; echo',
      'cat /info/labels; echo; cat /info/cpu; echo',
      'ls /all; cut -c1-2 /all/token',
      'ls -lL /secret/password /config/deep/b | cut -c1-10',
      'grep " /secret " /proc/mounts | cut -d" " -f3',
      'ls /optional | wc -l; touch /config/x 2>&1',
    ].join('; '),
  });
  t.is(
    output,
    [
      '2hunter2',
      'app="x"',
      // From the node, by admission plugin PodTopologyLabels.
      'topology.kubernetes.io/region="local"',
      'topology.kubernetes.io/zone="local-a"',
      '250',
      'a\nb\ntoken',
      'ey',
      '-r--r-----',
      '-r--------',
      'tmpfs',
      '0',
      'touch: /config/x: Read-only file system\n',
    ].join('\n'),
  );
});

test('a missing configMap: FailedMount, and the Pod runs as soon as it is there', async (t) => {
  const c = await cluster();
  const pod = await c.createPod({ volumes: [{ name: 'config', configMap: { name: 'late' } }] });
  const message = 'MountVolume.SetUp failed for volume "config" : configmap "late" not found';
  t.is((await c.eventOf(pod, 'FailedMount', message)).type, 'Warning');
  await c.configMap('late', { a: '1' });
  await c.until(pod, ({ status }) => status?.phase === 'Running');
});

test('a type of volume that there is no plugin for is refused with a clear event', async (t) => {
  const c = await cluster();
  const pod = await c.createPod({
    volumes: [{ name: 'remote', iscsi: { targetPortal: 'x', iqn: 'iqn.2026-01.example:disk', lun: 0 } }],
    spec: { automountServiceAccountToken: false },
  });
  const { message } = await c.eventOf(pod, 'FailedMount');
  t.is(
    message,
    'Unable to attach or mount volumes: unmounted volumes=[remote], unattached volumes=[], failed to process volumes=[remote]: failed to get Plugin from volumeSpec for volume "remote" err=no volume plugin matched: volumes of type iscsi are not supported; use a local PersistentVolume of the block device, or a CSI driver for iSCSI',
  );
  await c.deletePod(pod);
});

test('fsGroup and runAsUser', async (t) => {
  const c = await cluster();
  await c.secret('owned', { a: '1' });
  const output = await c.output({
    spec: { securityContext: { fsGroup: 3000, runAsUser: 1234, runAsGroup: 1234 } },
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'secret', secret: { secretName: 'owned', defaultMode: 0o400 } },
      { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
    ],
    script: [
      'id -G; touch /data/x',
      'stat -c "%a %g" /data',
      'stat -c "%u %g" /data/x',
      'stat -Lc "%a %g" /secret/a',
      'stat -Lc "%a %u %g" /token/token; cat /secret/a',
    ].join('; '),
  });
  t.is(output, '1234 3000\n2777 3000\n1234 3000\n440 3000\n640 1234 3000\n1');
});

test('sub paths: made, expanded, a file, read-only', async (t) => {
  const c = await cluster();
  await c.configMap('one', { file: 'content' });
  const output = await c.output({
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'config', configMap: { name: 'one' } },
    ],
    container: {
      env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'data', mountPath: '/sub', subPath: 'a/b' },
        { name: 'data', mountPath: '/expanded', subPathExpr: 'of-$(POD)' },
        { name: 'config', mountPath: '/etc/app.conf', subPath: 'file' },
        { name: 'data', mountPath: '/locked', readOnly: true, recursiveReadOnly: 'Enabled' },
      ],
    },
    script:
      'touch /sub/x /expanded/y; ls /data/a/b; ls /data | sed s/$POD/POD/; cat /etc/app.conf; echo; touch /locked/z 2>&1',
  });
  t.is(output, 'x\na\nof-POD\ncontent\ntouch: /locked/z: Read-only file system\n');
});

test('a sub path that leads out: CreateContainerConfigError, and nothing outside', async (t) => {
  const c = await cluster();
  const host = scratch(t);
  const pod = await c.createPod({
    volumes: [{ name: 'data', emptyDir: {} }],
    spec: {
      initContainers: [
        {
          name: 'plant',
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
          command: ['ln', '-s', host, '/data/link'],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
    },
    container: { volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'link/new' }] },
  });
  const { status } = await c.until(pod, ({ status: now }) => {
    return now?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError';
  });
  t.is(
    status?.containerStatuses?.[0]?.state?.waiting?.message,
    'failed to prepare subPath for volumeMount "data" of container "main"',
  );
  t.deepEqual(readdirSync(host), []);
  await c.deletePod(pod);
});

test('a missing key of the environment: CreateContainerConfigError, until it is there', async (t) => {
  const c = await cluster();
  await c.configMap('environment', { other: '1' });
  const pod = await c.createPod({
    container: {
      env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'environment', key: 'wanted' } } }],
    },
  });
  const message = "couldn't find key wanted in ConfigMap default/environment";
  const { status } = await c.until(
    pod,
    ({ status: now }) => now?.containerStatuses?.[0]?.state?.waiting?.message === message,
  );
  t.is(status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CreateContainerConfigError');
  await c.changeConfigMap('environment', { wanted: '2' });
  await c.until(pod, ({ status: now }) => now?.phase === 'Running');
});

test('environment, command and args', async (t) => {
  const c = await cluster();
  await c.configMap('all', { KEY: 'from-config' });
  await c.secret('all', { SECRET: 'from-secret' });
  const output = await c.output({
    script: '',
    container: {
      command: ['echo', '$(KEY)', '$(P_SECRET)', '$(NAME)'],
      args: ['$(CPU)', '$$(KEY)', '$(NONE)'],
      resources: { limits: { cpu: '2' } },
      envFrom: [{ configMapRef: { name: 'all' } }, { secretRef: { name: 'all' }, prefix: 'P_' }],
      env: [
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      ],
    },
  });
  t.is(output, 'from-config from-secret default 2 $(KEY) $(NONE)\n');
});

test('an image as a volume', async (t) => {
  const c = await cluster();
  const output = await c.output({
    volumes: [{ name: 'files', image: { reference: 'busybox', pullPolicy: 'IfNotPresent' } }],
    script: 'ls /files/bin/busybox; touch /files/x 2>&1',
  });
  t.is(output, '/files/bin/busybox\ntouch: /files/x: Read-only file system\n');
});

test('a git repository as a volume', async (t) => {
  const c = await cluster();
  const folder = scratch(t);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  git('init', '-q', '.');
  writeFileSync(join(folder, 'file'), 'first\n');
  git('add', 'file');
  git('commit', '-qm', 'first');
  const revision = git('rev-parse', 'HEAD');
  writeFileSync(join(folder, 'file'), 'second\n');
  git('commit', '-qam', 'second');
  git('update-server-info');
  const server = createServer(({ url = '/' }, response) => {
    const path = join(folder, '.git', new URL(url, 'http://x').pathname.replace('/code.git', ''));
    if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  }).listen(0, readClusterFile(c.name)?.bridgeIp);
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { address, port } = server.address() as AddressInfo;
  const repository = `http://${address}:${port}/code.git`;
  const output = await c.output({
    volumes: [
      { name: 'newest', gitRepo: { repository } },
      { name: 'first', gitRepo: { repository, revision, directory: '.' } },
    ],
    script: 'cat /newest/code/file /first/file',
  });
  t.is(output, 'second\nfirst\n');
});

test('mount propagation from the node to the container, when asked', async (t) => {
  const c = await cluster();
  const host = scratch(t);
  mkdirSync(join(host, 'later'));
  mount({ source: host, target: host, flags: ['bind'] });
  mount({ target: host, flags: ['shared'] });
  t.teardown(() => unmount(host, { lazy: true }));
  const volumes = [{ name: 'host', hostPath: { path: host } }];
  const see =
    'while [ ! -e /host/go ]; do sleep 0.05; done; [ -e /host/later/seen ] && echo seen || echo hidden';
  const start = (mountPropagation: string) =>
    c.createPod({
      volumes,
      container: { volumeMounts: [{ name: 'host', mountPath: '/host', mountPropagation }] },
      spec: { restartPolicy: 'Never' },
      script: `touch /host/started-${mountPropagation}; ${see}`,
    });
  const started = await Promise.all(['HostToContainer', 'None'].map(start));
  await until(
    'the container started twice',
    () => readdirSync(host).filter((name) => name.startsWith('started')).length === 2,
  );
  mount({ target: join(host, 'later'), type: 'tmpfs' });
  t.teardown(() => unmount(join(host, 'later'), { lazy: true }));
  writeFileSync(join(host, 'later/seen'), '');
  writeFileSync(join(host, 'go'), '');
  for (const [index, expected] of ['seen\n', 'hidden\n'].entries()) {
    const pod = started[index] ?? {};
    await c.until(pod, ({ status }) => status?.phase === 'Succeeded');
    t.is(await c.logs(pod), expected);
  }
});

test('read-only stops at a mount below, recursive read-only does not', async (t) => {
  const c = await cluster();
  const host = scratch(t);
  mkdirSync(join(host, 'below'));
  mount({ target: join(host, 'below'), type: 'tmpfs' });
  t.teardown(() => unmount(join(host, 'below'), { lazy: true }));
  const output = await c.output({
    volumes: [{ name: 'host', hostPath: { path: host } }],
    container: {
      volumeMounts: [
        { name: 'host', mountPath: '/plain', readOnly: true },
        { name: 'host', mountPath: '/recursive', readOnly: true, recursiveReadOnly: 'Enabled' },
      ],
    },
    script: 'for f in /plain/x /plain/below/x /recursive/below/y; do touch $f 2>&1 && echo made $f; done',
  });
  t.is(
    output,
    [
      'touch: /plain/x: Read-only file system',
      'made /plain/below/x',
      'touch: /recursive/below/y: Read-only file system\n',
    ].join('\n'),
  );
});

test('Bidirectional: what a privileged container mounts is on the node too', async (t) => {
  const c = await cluster();
  const host = scratch(t);
  mount({ source: host, target: host, flags: ['bind'] });
  mount({ target: host, flags: ['shared'] });
  t.teardown(() => unmount(host, { lazy: true }));
  const output = await c.output({
    volumes: [{ name: 'host', hostPath: { path: host } }],
    container: {
      securityContext: { privileged: true },
      volumeMounts: [{ name: 'host', mountPath: '/host', mountPropagation: 'Bidirectional' }],
    },
    script: 'mkdir /host/inner && mount -t tmpfs tmpfs /host/inner && touch /host/inner/seen && echo mounted',
  });
  t.is(output, 'mounted\n');
  t.true(existsSync(join(host, 'inner/seen')));
  unmount(join(host, 'inner'));
});

test('no byte of a Secret that is mounted, in the environment or in the command is on a disk', async (t) => {
  const c = await cluster();
  const password = `on-no-disk-${process.pid}`;
  await c.secret('hidden', { password });
  const pod = await c.runningPod({
    volumes: [{ name: 'secret', secret: { secretName: 'hidden' } }],
    container: {
      command: ['sh', '-c', 'sleep 1000', '$(password)'],
      envFrom: [{ secretRef: { name: 'hidden' } }],
    },
  });
  const inTmpfs = join(c.volumePath(pod, 'secret', 'secret'), 'password');
  t.is(readFileSync(inTmpfs, 'utf8'), password);
  const { state, run: runDir } = clusterPaths(c.name);
  // Not into what is mounted there: each is a tmpfs.
  const search = [`${state}/`, runDir, '-xdev', '-type', 'f', '-exec', 'grep', '-lsaF', password, '{}', '+'];
  const { stdout } = await run('find', search).catch((error: unknown) => {
    if (error instanceof CommandError && error.exitCode === 1) return error; // grep found it nowhere
    throw error;
  });
  t.is(stdout, '');
});

test('when a Pod is gone, so are its mounts and files', async (t) => {
  const c = await cluster();
  await c.secret('gone', { a: '1' });
  const pod = await c.runningPod({
    volumes: [
      { name: 'secret', secret: { secretName: 'gone' } },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
    ],
    container: {
      volumeMounts: [
        { name: 'secret', mountPath: '/secret/a', subPath: 'a' },
        { name: 'memory', mountPath: '/memory' },
      ],
    },
  });
  const podDir = join(c.kubeletDir, 'pods', pod.metadata?.uid ?? '');
  const left = () => readMountInfo().filter(({ mountPoint }) => mountPoint.includes(podDir));
  t.true(left().length >= 3);
  await c.deletePod(pod);
  await until('nothing of the Pod is left', () => left().length === 0 && !existsSync(podDir));
});
