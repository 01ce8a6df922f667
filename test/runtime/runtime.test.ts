import { existsSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { status as grpc } from '@grpc/grpc-js';
import test from 'ava';
import { findProcesses } from '../../linux/find-processes.ts';
import { readMountInfo } from '../../linux/mount-info.ts';
import { loadImages, openImageStore } from '../../runtime/images/index.ts';
import { patience, until } from '../environment.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { makeLayout } from './images/make-layout.ts';
import { serveLayout } from './images/tiny-registry.ts';
import { ended, execText, logOf, runPod } from './pod.ts';

// What this runtime does beyond the suite that every runtime passes.

let daemon: Daemon;

// An umask that would keep every file from every user: what the daemon makes must not depend on who started it.
test.before(async () => {
  daemon = await startDaemon({ umask: '077' });
});

test.after.always('nothing is left behind', async (t) => {
  t.deepEqual(await daemon.end(), []);
});

test.serial(
  'the image podwright.local/host runs programs of the host, and what they write stays in the container',
  async (t) => {
    const pod = await runPod(daemon);
    const mark = `/root/${pod.id.slice(0, 12)}`;
    const script = `. /etc/os-release; echo $ID; echo x > ${mark}; cat ${mark}`;
    const { output, status } = await pod.runToEnd(script, { image: { image: 'podwright.local/host' } });
    const id = /^ID="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    t.deepEqual(output, [id, 'x']);
    t.is(status.exitCode, 0);
    t.false(existsSync(mark));
  },
);

test.serial('the image podwright.local/host is no volume: that would be the host itself', async (t) => {
  const pod = await runPod(daemon);
  const mounts = [{ containerPath: '/host', image: { image: 'podwright.local/host' } }];
  await t.throwsAsync(pod.create('true', { mounts }), {
    code: grpc.INVALID_ARGUMENT,
    message: /mount \/host: image podwright\.local\/host:latest is not mounted as a volume/,
  });
});

test.serial('an image volume is of the image that its name meant when the container was made', async (t) => {
  const pod = await runPod(daemon);
  const store = openImageStore({ dir: daemon.imagesDir });
  const load = async (text: string) => {
    const file = join(daemon.scratch, text);
    makeLayout(file, { entries: [{ name: 'file', text: `${text}\n` }], name: 'moving:1' });
    await loadImages({ store, file });
  };
  await load('first');
  const mounts = [{ containerPath: '/image', image: { image: 'moving:1' } }];
  const containerId = await pod.create('cat /image/file', { mounts });
  await load('second');
  await daemon.cri.runtime.StartContainer({ containerId });
  t.deepEqual(logOf(await ended(daemon, containerId)), ['first']);
  const { output } = await pod.runToEnd('cat /image/file', { mounts });
  t.deepEqual(output, ['second']);
});

test.serial(
  'no mount of a container is seen on the host; the sandbox has two: its network namespace and its shared memory',
  async (t) => {
    const pod = await runPod(daemon, {
      linux: { securityContext: { namespaceOptions: { network: 'POD' } } },
    });
    await pod.run('sleep 1000');
    const mounts = readMountInfo().filter(({ mountPoint }) => mountPoint.includes(pod.id));
    t.deepEqual(mounts.map(({ type }) => type).toSorted(), ['nsfs', 'tmpfs']);
  },
);

test.serial('RuntimeDefault filters system calls, and exec gets the same filter', async (t) => {
  const pod = await runPod(daemon);
  const containerId = await pod.run('sleep 1000', {
    linux: { securityContext: { seccomp: { profileType: 'RuntimeDefault' } } },
  });
  t.is(await execText(daemon, containerId, 'grep Seccomp: /proc/self/status'), 'Seccomp:\t2');
  t.regex(await execText(daemon, containerId, 'unshare -U true'), /Operation not permitted/);
});

test.serial('an ephemeral container joins the pid namespace of its target', async (t) => {
  const pod = await runPod(daemon);
  const target = await pod.run('sleep 987');
  const { info } = await daemon.cri.runtime.ContainerStatus({ containerId: target, verbose: true });
  const { pid } = JSON.parse(info['info'] ?? '{}') as { pid: number };
  const { containerId } = await daemon.cri.runtime.CreateContainer({
    podSandboxId: pod.id,
    sandboxConfig: pod.config,
    config: {
      metadata: { name: 'debugger' },
      image: { image: 'busybox' },
      command: ['sleep', '1000'],
      linux: { securityContext: { namespaceOptions: { network: 'NODE', pid: 'TARGET', targetId: target } } },
    },
  });
  await daemon.cri.runtime.StartContainer({ containerId });
  t.is(
    await execText(daemon, containerId, 'readlink /proc/self/ns/pid'),
    readlinkSync(`/proc/${pid}/ns/pid`),
  );
  t.regex(await execText(daemon, containerId, 'ps'), /sleep 987/);
});

test.serial('thirty Pods at once all come up and go', async (t) => {
  const pods = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const pod = await runPod(daemon, {
        linux: { securityContext: { namespaceOptions: { network: 'POD' } } },
      });
      await pod.run('sleep 1000');
      return pod;
    }),
  );
  const statuses = await Promise.all(
    pods.map(({ id }) => daemon.cri.runtime.PodSandboxStatus({ podSandboxId: id })),
  );
  t.true(statuses.every(({ status }) => status?.state === 'SANDBOX_READY'));
  t.is(new Set(statuses.map(({ status }) => status?.network?.ip)).size, 30);
  t.true(statuses.every(({ containersStatuses: [one] }) => one?.state === 'CONTAINER_RUNNING'));
  await Promise.all(pods.map(({ id }) => daemon.cri.runtime.RemovePodSandbox({ podSandboxId: id })));
});

test.serial('stats of a sandbox count its containers and its network', async (t) => {
  const pod = await runPod(daemon, { linux: { securityContext: { namespaceOptions: { network: 'POD' } } } });
  const containerId = await pod.run('dd if=/dev/zero of=/file bs=1M count=3; sleep 1000');
  await execText(
    daemon,
    containerId,
    'while [ "$(stat -c %s /file 2>/dev/null)" != 3145728 ]; do sleep 0.05; done',
  );
  const { stats } = await daemon.cri.runtime.PodSandboxStats({ podSandboxId: pod.id });
  t.is(stats?.linux?.network?.defaultInterface?.name, 'eth0');
  t.true((stats?.linux?.memory?.workingSetBytes?.value ?? 0) > 0);
  t.true((stats?.linux?.containers[0]?.writableLayer?.usedBytes?.value ?? 0) >= 3 * 1024 * 1024);
  const { podMetrics } = await daemon.cri.runtime.ListPodSandboxMetrics({});
  t.true(podMetrics.some(({ podSandboxId }) => podSandboxId === pod.id));
});

test.serial('a volume at /etc does not hide the hostname, hosts and resolv.conf of the Pod', async (t) => {
  const pod = await runPod(daemon, { dnsConfig: { servers: ['192.0.2.53'] } });
  const etc = join(daemon.scratch, `etc-${pod.id.slice(0, 12)}`);
  mkdirSync(etc);
  const { output } = await pod.runToEnd('cat /etc/hostname /etc/resolv.conf', {
    mounts: [{ hostPath: etc, containerPath: '/etc/' }],
  });
  t.deepEqual(output, [pod.config.hostname, 'nameserver 192.0.2.53']);
});

test.serial(
  'a user other than root reads the hosts file, and passes what was made for its mounts',
  async (t) => {
    const pod = await runPod(daemon);
    const volume = join(daemon.scratch, `volume-${pod.id.slice(0, 12)}`);
    mkdirSync(volume, { mode: 0o755 });
    const { output } = await pod.runToEnd('cat /etc/hosts > /dev/null && cd /made/for/it && id -u', {
      mounts: [{ hostPath: volume, containerPath: '/made/for/it' }],
      linux: { securityContext: { runAsUser: { value: 1000 } } },
    });
    t.deepEqual(output, ['1000']);
  },
);

test.serial(
  'folders deeper than any path are counted, hide no other container’s stats, and are removed',
  async (t) => {
    const pod = await runPod(daemon);
    const beside = await pod.run('sleep 1000');
    // Each is made from within the last: the whole path is some 12,000 bytes.
    const nest =
      'name=$(printf %0200d 0); cd /tmp; for i in $(seq 60); do mkdir $name; cd -P $name; done; touch /done; exec sleep 1000';
    const deep = await pod.run(nest);
    await execText(daemon, deep, 'until [ -e /done ]; do sleep 0.05; done');
    const { runtime } = daemon.cri;
    const { stats } = await runtime.ListContainerStats({ filter: { podSandboxId: pod.id } });
    const inodesOf = (id: string) =>
      stats.find(({ attributes }) => attributes?.id === id)?.writableLayer?.inodesUsed?.value ?? 0;
    t.true(inodesOf(deep) > 60);
    t.true(inodesOf(beside) > 0);
    t.is((await runtime.PodSandboxStats({ podSandboxId: pod.id })).stats?.linux?.containers.length, 2);
    await runtime.RemoveContainer({ containerId: deep });
    t.false(existsSync(join(daemon.stateDir, 'containers', deep)));
  },
);

test.serial('a client that gives up a pull ends it', async (t) => {
  const layout = join(daemon.scratch, 'layout');
  const { manifestDigest } = makeLayout(layout, { entries: [{ name: 'file', text: 'never pulled' }] });
  const registry = await serveLayout(layout, { manifestDigest, stalled: true });
  t.teardown(() => registry.close());
  const image = `${registry.host}/team/app:1`;
  const pulls = () =>
    findProcesses((words) => words[0] === 'skopeo' && words.some((word) => word.includes(image)));
  const pulled = daemon.cri.image.PullImage({ image: { image } }, { timeoutMs: 1500 * patience });
  await Promise.all([
    t.throwsAsync(pulled, { code: grpc.DEADLINE_EXCEEDED }),
    until('skopeo', () => pulls().length > 0),
  ]);
  await until('the end of skopeo', () => pulls().length === 0);
});
