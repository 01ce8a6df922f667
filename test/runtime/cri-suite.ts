import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext, TestFn } from 'ava';
import { status as grpc } from '@grpc/grpc-js';
import type { ContainerEventResponse } from '../../runtime/cri/types.ts';
import { patience, until } from '../environment.ts';
import { ended, execText, logOf, podConfig, runPod } from './pod.ts';
import type { Place } from './pod.ts';

/**
 * What every CRI v1 runtime must do, through its socket alone. The runtime has the image `busybox` and a Pod network. The same suite
 * can run on containerd: `place` only needs its socket, a cgroup root and a scratch directory.
 */
export function criSuite(
  test: Pick<TestFn, never> & ((title: string, body: (t: ExecutionContext) => Promise<void>) => void),
  place: () => Place,
): void {
  const cri = () => place().cri;
  const gone = '0'.repeat(64);

  test('Version and Status say that the runtime and its network are ready', async (t) => {
    const { runtimeApiVersion } = await cri().runtime.Version({});
    t.is(runtimeApiVersion, 'v1');
    const { status } = await cri().runtime.Status({});
    t.deepEqual(
      status?.conditions.map(({ type, status: good }) => [type, good]),
      [
        ['RuntimeReady', true],
        ['NetworkReady', true],
      ],
    );
  });

  test('a sandbox is ready, has an address, is stopped and removed, each as often as asked', async (t) => {
    const pod = await runPod(place(), {
      linux: { securityContext: { namespaceOptions: { network: 'POD' } } },
    });
    const { status } = await cri().runtime.PodSandboxStatus({ podSandboxId: pod.id });
    t.is(status?.state, 'SANDBOX_READY');
    t.regex(status?.network?.ip ?? '', /^10\.\d+\.\d+\.\d+$/);
    t.like(status?.metadata, { ...pod.config.metadata });
    for (let twice = 0; twice < 2; twice++) await cri().runtime.StopPodSandbox({ podSandboxId: pod.id });
    const stopped = await cri().runtime.PodSandboxStatus({ podSandboxId: pod.id });
    t.is(stopped.status?.state, 'SANDBOX_NOTREADY');
    for (let twice = 0; twice < 2; twice++) await cri().runtime.RemovePodSandbox({ podSandboxId: pod.id });
    await failsWith(t, cri().runtime.PodSandboxStatus({ podSandboxId: pod.id }), grpc.NOT_FOUND, /not found/);
  });

  test('a name is one sandbox’s at a time', async (t) => {
    const pod = await runPod(place());
    const again = cri().runtime.RunPodSandbox({ config: pod.config });
    await failsWith(
      t,
      again,
      grpc.UNKNOWN,
      new RegExp(`failed to reserve sandbox name .* is reserved for "${pod.id}"`),
    );
  });

  test('a container is created, runs, ends with 0: Completed, its output in CRI’s log format', async (t) => {
    const pod = await runPod(place());
    const containerId = await pod.create('echo out; echo err >&2; printf unfinished');
    const created = await cri().runtime.ContainerStatus({ containerId });
    t.is(created.status?.state, 'CONTAINER_CREATED');
    t.is(created.status?.startedAt, 0);
    await cri().runtime.StartContainer({ containerId });
    const status = await ended(place(), containerId);
    t.like(status, { exitCode: 0, reason: 'Completed', message: '' });
    t.true(status.createdAt <= status.startedAt && status.startedAt <= status.finishedAt);
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)`;
    const log = readFileSync(status.logPath, 'utf8');
    t.regex(log, new RegExp(`^${time} stdout F out$`, 'm'));
    t.regex(log, new RegExp(`^${time} stderr F err$`, 'm'));
    t.regex(log, new RegExp(`^${time} stdout [PF] unfinished$`, 'm'));
  });

  test('exit codes and signals are told: Error', async (t) => {
    const pod = await runPod(place());
    t.like((await pod.runToEnd('exit 3')).status, { exitCode: 3, reason: 'Error' });
    // Process 1 of a pid namespace cannot be killed from inside, so here pause is it.
    const shared = await runPod(place(), {
      linux: { securityContext: { namespaceOptions: { pid: 'POD' } } },
    });
    t.like((await shared.runToEnd('kill -9 $$')).status, { exitCode: 137, reason: 'Error' });
  });

  test('a command that is not there: StartContainer fails, the container has ended with 128, StartError', async (t) => {
    const pod = await runPod(place());
    const containerId = await pod.create('', { command: ['no-such-command'] });
    const words = /exec: "no-such-command": executable file not found in \$PATH/;
    await failsWith(t, cri().runtime.StartContainer({ containerId }), grpc.UNKNOWN, words);
    const { status } = await cri().runtime.ContainerStatus({ containerId });
    t.like(status, { state: 'CONTAINER_EXITED', exitCode: 128, reason: 'StartError' });
    t.regex(status?.message ?? '', words);
    await failsWith(t, cri().runtime.StartContainer({ containerId }), grpc.UNKNOWN, /CONTAINER_EXITED state/);
  });

  test('StopContainer sends the stop signal, kills after the grace time, and may be asked again', async (t) => {
    const pod = await runPod(place());
    const polite = await pod.run('trap "exit 7" TERM; while :; do sleep 0.05; done');
    await until('TERM is trapped', async () =>
      (await execText(place(), polite, 'grep SigCgt /proc/1/status')).endsWith('4002'),
    );
    await cri().runtime.StopContainer({ containerId: polite, timeout: 20 });
    t.like((await cri().runtime.ContainerStatus({ containerId: polite })).status, { exitCode: 7 });
    await cri().runtime.StopContainer({ containerId: polite, timeout: 20 });
    const stubborn = await pod.run('trap "" TERM; while :; do sleep 0.05; done');
    await cri().runtime.StopContainer({ containerId: stubborn, timeout: 1 });
    t.like((await cri().runtime.ContainerStatus({ containerId: stubborn })).status, {
      exitCode: 137,
      reason: 'Error',
    });
  });

  test('a time of a month is no time of a moment', async (t) => {
    const timeout = 30 * 86_400;
    const pod = await runPod(place());
    const containerId = await pod.run('trap "sleep 0.3; exit 7" TERM; while :; do sleep 0.05; done');
    await until('TERM is trapped', async () =>
      (await execText(place(), containerId, 'grep SigCgt /proc/1/status')).endsWith('4002'),
    );
    t.like(await cri().runtime.ExecSync({ containerId, cmd: ['sleep', '0.3'], timeout }), { exitCode: 0 });
    await cri().runtime.StopContainer({ containerId, timeout });
    t.like((await cri().runtime.ContainerStatus({ containerId })).status, { exitCode: 7 });
  });

  test('a container that is being stopped may be given less time, and gets no second stop signal', async (t) => {
    const pod = await runPod(place());
    const containerId = await pod.run('trap "echo told" TERM; echo ready; while :; do sleep 0.05; done');
    const { status } = await cri().runtime.ContainerStatus({ containerId });
    const told = (): number => readFileSync(status?.logPath ?? '', 'utf8').split(' F told').length - 1;
    await until('TERM is trapped', () => readFileSync(status?.logPath ?? '', 'utf8').includes(' F ready'));
    const patient = cri().runtime.StopContainer({ containerId, timeout: 1000 });
    await until('the stop signal', () => told() === 1);
    await cri().runtime.StopContainer({ containerId, timeout: 1 });
    await patient;
    t.is(told(), 1);
    t.like((await cri().runtime.ContainerStatus({ containerId })).status, { exitCode: 137 });
  });

  test('a process is told while it runs, and its number no more when it may be another’s', async (t) => {
    const { runtime } = cri();
    const pod = await runPod(place());
    const containerId = await pod.run('exec sleep 1000');
    const pids = async (): Promise<number[]> => {
      const answers = await Promise.all([
        runtime.ContainerStatus({ containerId, verbose: true }),
        runtime.PodSandboxStatus({ podSandboxId: pod.id, verbose: true }),
      ]);
      return answers.map(({ info }) => (JSON.parse(info['info'] ?? '{}') as { pid: number }).pid);
    };
    for (const pid of await pids()) t.notThrows(() => process.kill(pid, 0));
    await runtime.StopPodSandbox({ podSandboxId: pod.id });
    t.deepEqual(await pids(), [0, 0]);
  });

  test('what is not there: stops and removes succeed, the rest is NOT_FOUND', async (t) => {
    const { runtime } = cri();
    await runtime.StopContainer({ containerId: gone, timeout: 0 });
    await runtime.RemoveContainer({ containerId: gone });
    await runtime.StopPodSandbox({ podSandboxId: gone });
    await runtime.RemovePodSandbox({ podSandboxId: gone });
    const containerId = gone;
    await failsWith(
      t,
      runtime.ContainerStatus({ containerId }),
      grpc.NOT_FOUND,
      /an error occurred when try to find container/,
    );
    await failsWith(t, runtime.StartContainer({ containerId }), grpc.NOT_FOUND, /not found/);
    await failsWith(t, runtime.ExecSync({ containerId, cmd: ['true'] }), grpc.NOT_FOUND, /not found/);
    await failsWith(t, runtime.ReopenContainerLog({ containerId }), grpc.NOT_FOUND, /not found/);
    await failsWith(t, runtime.ContainerStats({ containerId }), grpc.NOT_FOUND, /not found/);
    await failsWith(t, runtime.PortForward({ podSandboxId: gone, port: [80] }), grpc.NOT_FOUND, /not found/);
    const image = await cri().image.ImageStatus({ image: { image: 'no/such:image' } });
    t.is(image.image, null);
    await cri().image.RemoveImage({ image: { image: 'no/such:image' } });
  });

  test('an image that is not there: CreateContainer is NOT_FOUND', async (t) => {
    const pod = await runPod(place());
    const asked = pod.create('', { image: { image: 'no/such:image' } });
    await failsWith(t, asked, grpc.NOT_FOUND, /failed to resolve image "no\/such:image"/);
  });

  test('ExecSync gives output and exit code, and DEADLINE_EXCEEDED when it takes too long', async (t) => {
    const pod = await runPod(place());
    const containerId = await pod.run('sleep 1000');
    const result = await cri().runtime.ExecSync({
      containerId,
      cmd: ['sh', '-c', 'echo out; echo err >&2; exit 5'],
      timeout: 20,
    });
    t.deepEqual([result.exitCode, result.stdout.toString(), result.stderr.toString()], [5, 'out\n', 'err\n']);
    const late = cri().runtime.ExecSync({ containerId, cmd: ['sleep', '777'], timeout: 1 });
    await failsWith(t, late, grpc.DEADLINE_EXCEEDED, /timeout 1s exceeded/);
    await until(
      'the late command is gone',
      async () => !(await execText(place(), containerId, 'ps')).includes('sleep 777'),
    );
    const missing = cri().runtime.ExecSync({ containerId, cmd: ['no-such-command'], timeout: 20 });
    await failsWith(t, missing, grpc.UNKNOWN, /executable file not found in \$PATH/);
  });

  test('a command that ExecSync runs ends when the client waits no longer', async (t) => {
    const pod = await runPod(place());
    const containerId = await pod.run('sleep 1000');
    const runs = async () => (await execText(place(), containerId, 'ps')).includes('sleep 778');
    const asked = cri().runtime.ExecSync(
      { containerId, cmd: ['sleep', '778'] },
      { timeoutMs: 1500 * patience },
    );
    await Promise.all([
      failsWith(t, asked, grpc.DEADLINE_EXCEEDED, /Deadline exceeded/),
      until('the command runs', runs),
    ]);
    await until('the end of the command', async () => !(await runs()));
  });

  test('environment, working directory, user and groups reach the command', async (t) => {
    const pod = await runPod(place());
    const linux = {
      securityContext: {
        runAsUser: { value: 1234 },
        runAsGroup: { value: 5678 },
        supplementalGroups: [77, 88],
      },
    };
    const { output, status } = await pod.runToEnd(
      'echo $GREETING $HOSTNAME $HOME; pwd; id -u; id -g; id -G; printf "$RAW" | od -An -tx1',
      {
        envs: [
          { key: 'GREETING', value: Buffer.from('hello') },
          { key: 'RAW', value: Buffer.of(0x61, 0x80, 0xff, 0xc3, 0xa9) },
        ],
        workingDir: '/var/spool',
        linux,
      },
    );
    t.deepEqual(output, [
      `hello ${pod.config.hostname} /`,
      '/var/spool',
      '1234',
      '5678',
      '5678 77 88',
      ' 61 80 ff c3 a9',
    ]);
    t.deepEqual(status.user?.linux, { uid: 1234, gid: 5678, supplementalGroups: [5678, 77, 88] });
    const named = await pod.runToEnd('id -u; echo $HOME', {
      linux: { securityContext: { runAsUsername: 'www-data' } },
    });
    t.deepEqual(named.output, ['33', '/var/www']);
    const groupOnly = pod.create('true', { linux: { securityContext: { runAsGroup: { value: 5 } } } });
    await failsWith(t, groupOnly, grpc.INVALID_ARGUMENT, /is specified without user/);
  });

  test('capabilities, no_new_privs and the read-only root are as asked', async (t) => {
    const pod = await runPod(place());
    const show = 'grep -E "CapEff|NoNewPrivs" /proc/self/status; touch /tmp/x && echo writable';
    const usual = await pod.runToEnd(show);
    t.deepEqual(usual.output, ['CapEff:\t00000000a80425fb', 'NoNewPrivs:\t0', 'writable']);
    const strict = await pod.runToEnd(show, {
      linux: {
        securityContext: {
          capabilities: { dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE'] },
          noNewPrivs: true,
          readonlyRootfs: true,
        },
      },
    });
    t.deepEqual(strict.output, [
      'CapEff:\t0000000000000400',
      'NoNewPrivs:\t1',
      'touch: /tmp/x: Read-only file system',
    ]);
    const privileged = pod.create('true', { linux: { securityContext: { privileged: true } } });
    await failsWith(t, privileged, grpc.UNKNOWN, /no privileged container allowed in sandbox/);
  });

  test('containers of a sandbox share network, ipc, hostname and /dev/shm, and nothing else', async (t) => {
    const pod = await runPod(place(), {
      linux: { securityContext: { namespaceOptions: { network: 'POD' } } },
    });
    const [one, other] = [await pod.run('sleep 1000'), await pod.run('sleep 1000')];
    const namespaces =
      'for n in net ipc uts mnt pid; do readlink /proc/self/ns/$n; done; hostname; ls /dev/shm';
    await execText(place(), one, 'echo x > /dev/shm/shared');
    const [first, second] = [
      await execText(place(), one, namespaces),
      await execText(place(), other, namespaces),
    ];
    const [net, ipc, uts, mnt, pid, ...rest] = first.split('\n');
    const [net2, ipc2, uts2, mnt2, pid2, ...rest2] = second.split('\n');
    t.deepEqual([net, ipc, uts], [net2, ipc2, uts2]);
    t.not(mnt, mnt2);
    t.not(pid, pid2);
    t.deepEqual(rest, [String(pod.config.hostname), 'shared']);
    t.deepEqual(rest2, rest);
  });

  test('with a pid namespace for the Pod, pause is process 1 and containers see each other', async (t) => {
    const pod = await runPod(place(), { linux: { securityContext: { namespaceOptions: { pid: 'POD' } } } });
    await pod.run('sleep 4321');
    const watcher = await pod.run('sleep 1000');
    t.regex(await execText(place(), watcher, 'tr "\\0" " " </proc/1/cmdline'), /pause/);
    t.regex(await execText(place(), watcher, 'ps'), /sleep 4321/);
  });

  test('DNS configuration, hostname and sysctls are the sandbox’s', async (t) => {
    const pod = await runPod(place(), {
      dnsConfig: {
        servers: ['10.96.0.10'],
        searches: ['default.svc.cluster.local', 'svc.cluster.local'],
        options: ['ndots:5'],
      },
      linux: {
        sysctls: { 'net.ipv4.ip_local_port_range': '1024 65000' },
        securityContext: { namespaceOptions: { network: 'POD' } },
      },
    });
    const { output } = await pod.runToEnd(
      'cat /etc/resolv.conf /etc/hostname; cat /proc/sys/net/ipv4/ip_local_port_range | tr "\\t" " "',
    );
    t.deepEqual(output, [
      'search default.svc.cluster.local svc.cluster.local',
      'nameserver 10.96.0.10',
      'options ndots:5',
      String(pod.config.hostname),
      '1024 65000',
    ]);
  });

  test('mounts: a host directory, read-only where asked, an image’s folder; what leads out is refused', async (t) => {
    const pod = await runPod(place());
    const host = join(place().scratch, 'mounted');
    mkdirSync(host, { recursive: true });
    writeFileSync(join(host, 'file'), 'from the host\n');
    const mounts = [
      { hostPath: host, containerPath: '/data' },
      { hostPath: host, containerPath: '/fixed', readonly: true },
      { containerPath: '/image', image: { image: 'busybox' }, imageSubPath: 'etc' },
    ];
    const { output } = await pod.runToEnd(
      'cat /data/file; echo new > /data/new; touch /fixed/x; grep -c root /image/passwd; touch /image/x',
      { mounts },
    );
    t.deepEqual(
      output.toSorted(),
      [
        '1',
        'from the host',
        'touch: /fixed/x: Read-only file system',
        'touch: /image/x: Read-only file system',
      ].toSorted(),
    );
    t.is(readFileSync(join(host, 'new'), 'utf8'), 'new\n');
    const outside = {
      containerPath: '/image',
      image: { image: 'busybox' },
      imageSubPath: 'no/such/../../../../../etc/nothing',
    };
    await t.throwsAsync(pod.create('true', { mounts: [outside] }), { message: /image volume subpath/ });
    const recursive = { hostPath: host, containerPath: '/data', recursiveReadOnly: true };
    await failsWith(
      t,
      pod.create('true', { mounts: [recursive] }),
      grpc.INVALID_ARGUMENT,
      /recursive_read_only needs readonly/,
    );
  });

  test('events tell what happens to a container, in order and at once', async (t) => {
    const stream = cri().runtime.GetContainerEvents({});
    const events: ContainerEventResponse[] = [];
    stream.on('data', (event: ContainerEventResponse) => events.push(event));
    stream.on('error', () => undefined); // cancelled below
    await until('the subscription is on', async () => {
      if (events.length > 0) return true;
      const probe = await runPod(place());
      await cri().runtime.RemovePodSandbox({ podSandboxId: probe.id });
      return events.length > 0;
    });
    const pod = await runPod(place());
    const { status } = await pod.runToEnd('exit 4');
    await cri().runtime.RemoveContainer({ containerId: status.id });
    const ofContainer = () => events.filter(({ containerId }) => containerId === status.id);
    await until('all four events', () => ofContainer().length >= 4);
    t.deepEqual(
      ofContainer().map(({ containerEventType }) => containerEventType),
      [
        'CONTAINER_CREATED_EVENT',
        'CONTAINER_STARTED_EVENT',
        'CONTAINER_STOPPED_EVENT',
        'CONTAINER_DELETED_EVENT',
      ],
    );
    const stopped = ofContainer()[2];
    t.like(stopped?.containersStatuses[0], { id: status.id, exitCode: 4, reason: 'Error' });
    t.is(stopped?.podSandboxStatus?.id, pod.id);
    stream.cancel();
  });

  test('too much memory: 137, OOMKilled', async (t) => {
    const pod = await runPod(place());
    const resources = { memoryLimitInBytes: 16 * 1024 * 1024, memorySwapLimitInBytes: 16 * 1024 * 1024 };
    const { status } = await pod.runToEnd('dd if=/dev/zero of=/dev/null bs=64M count=1', {
      linux: { resources },
    });
    t.like(status, { exitCode: 137, reason: 'OOMKilled' });
    t.is(status.resources?.linux?.memoryLimitInBytes, 16 * 1024 * 1024);
  });

  test('limits can be changed while a container runs', async (t) => {
    const pod = await runPod(place());
    const containerId = await pod.run('sleep 1000', {
      linux: { resources: { memoryLimitInBytes: 32 * 1024 * 1024, cpuShares: 512 } },
    });
    await cri().runtime.UpdateContainerResources({
      containerId,
      linux: { memoryLimitInBytes: 64 * 1024 * 1024 },
    });
    const { status } = await cri().runtime.ContainerStatus({ containerId });
    t.like(status?.resources?.linux, { memoryLimitInBytes: 64 * 1024 * 1024, cpuShares: 512 });
    const { stats } = await cri().runtime.ContainerStats({ containerId });
    t.true((stats?.memory?.workingSetBytes?.value ?? 0) > 0);
    t.true((stats?.memory?.availableBytes?.value ?? 0) > 32 * 1024 * 1024);
  });

  test('after a rotation the log goes on in a new file', async (t) => {
    const pod = await runPod(place());
    const containerId = await pod.run('echo before; while [ ! -e /go ]; do sleep 0.05; done; echo after');
    const { status } = await cri().runtime.ContainerStatus({ containerId });
    const path = status?.logPath ?? '';
    await until('the first line is there', () => readFileSync(path, 'utf8').includes('before'));
    renameSync(path, `${path}.1`);
    await cri().runtime.ReopenContainerLog({ containerId });
    await execText(place(), containerId, 'touch /go');
    const end = await ended(place(), containerId);
    t.deepEqual(logOf(end), ['after']);
    await failsWith(
      t,
      cri().runtime.ReopenContainerLog({ containerId }),
      grpc.UNKNOWN,
      /container is not running/,
    );
  });

  test('lists are filtered by state, sandbox and labels', async (t) => {
    const pod = await runPod(place(), { labels: { app: 'listed' } });
    const running = await pod.run('sleep 1000', { labels: { part: 'one' } });
    await pod.create('true', { labels: { part: 'two' } });
    const ids = async (filter: object) =>
      (await cri().runtime.ListContainers({ filter: { podSandboxId: pod.id, ...filter } })).containers.map(
        ({ id }) => id,
      );
    t.is((await ids({})).length, 2);
    t.deepEqual(await ids({ state: { state: 'CONTAINER_RUNNING' } }), [running]);
    t.deepEqual(await ids({ labelSelector: { part: 'one' } }), [running]);
    const sandboxes = await cri().runtime.ListPodSandbox({ filter: { labelSelector: { app: 'listed' } } });
    t.deepEqual(
      sandboxes.items.map(({ id }) => id),
      [pod.id],
    );
  });

  test('what cannot be given is refused in words', async (t) => {
    const pod = await runPod(place());
    await failsWith(
      t,
      pod.create('true', { CDIDevices: [{ name: 'vendor.com/gpu=0' }] }),
      grpc.INVALID_ARGUMENT,
      /CDI devices are not supported/,
    );
    await t.throwsAsync(
      pod.create('true', {
        devices: [{ hostPath: '/no/such/device', containerPath: '/dev/x', permissions: 'rwm' }],
      }),
      { message: /failed to set devices mapping/ },
    );
    const withUsers = podConfig(place(), {
      linux: { securityContext: { namespaceOptions: { usernsOptions: { mode: 'POD' } } } },
    });
    await t.throwsAsync(cri().runtime.RunPodSandbox({ config: withUsers }));
  });
}

async function failsWith(
  t: ExecutionContext,
  call: Promise<unknown>,
  code: grpc,
  words: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(call, { message: words });
  t.is((error as Error & { code?: grpc }).code, code);
}
