import { existsSync, readFileSync } from 'node:fs';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { Container, PodSpec, SecurityContext } from '../../../api/types.ts';
import { startCluster } from '../../../cluster/index.ts';
import { run } from '../../../linux/command.ts';
import { patience, skipUnless, until } from '../../environment.ts';
import { kubectl } from '../as-user.ts';
import { forever, podBench, shell } from '../pods/pod-bench.ts';
import type { PodBench } from '../pods/pod-bench.ts';
import { takeDown } from '../take-down.ts';

const test = anyTest as TestFn;
let bench: PodBench;

test.before(async () => {
  bench = await podBench(await startCluster({ name: `xx-c${process.pid}` }));
});
test.after.always(async (t) => {
  bench?.client.close();
  await takeDown(t, bench?.cluster);
});

const host = (name: string, more: Partial<Container> = {}): Container => ({
  ...shell(name, forever),
  image: 'podwright.local/host',
  ...more,
});

/** Runs a script in a container by kubectl exec; its output and errors together, trimmed. */
async function inside(pod: string, script: string, container = 'main'): Promise<string> {
  const args = ['exec', pod, '-c', container, '--', 'sh', '-c', `{ ${script}\n} 2>&1`];
  const { stdout } = await kubectl(args, { kubeconfig: bench.cluster.kubeconfig });
  return stdout.trim();
}

/** A Pod with one container per security context; each container is named by its key. */
async function podOf(
  name: string,
  contexts: Record<string, SecurityContext>,
  spec: Partial<PodSpec> & { image?: string } = {},
): Promise<void> {
  const { image = 'busybox', ...rest } = spec;
  const containers = Object.entries(contexts).map(([key, securityContext]) => ({
    ...shell(key, forever),
    image,
    securityContext,
  }));
  await bench.create(name, { terminationGracePeriodSeconds: 0, containers, ...rest });
}

const statusField = (field: string) => `grep ^${field}: /proc/self/status | cut -f2`;

/** chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap. */
const DEFAULT_CAPABILITIES = '00000000a80425fb';

test('capabilities: the default set, added, dropped, all', async (t) => {
  await podOf('capabilities', {
    default: {},
    added: { capabilities: { add: ['NET_ADMIN'] } },
    dropped: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
    user: { runAsUser: 1000 },
    privileged: { privileged: true },
  });
  await bench.running(t, 'capabilities');
  const sets = async (container: string) =>
    (await inside('capabilities', 'grep ^Cap /proc/self/status | cut -f2', container)).split('\n');
  const none = '0000000000000000';
  const all = /^CapBnd:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  // Inheritable, permitted, effective, bounding, ambient.
  const every = (mask: string) => [none, mask, mask, mask, none];
  t.deepEqual(await sets('default'), every(DEFAULT_CAPABILITIES));
  t.deepEqual(await sets('added'), every('00000000a80435fb'));
  t.deepEqual(await sets('dropped'), every('0000000000000400'));
  t.deepEqual(await sets('user'), [none, none, none, DEFAULT_CAPABILITIES, none]);
  t.deepEqual(await sets('privileged'), every(all));

  const setAddress = 'ip addr add 192.0.2.1/32 dev lo && echo done';
  t.is(await inside('capabilities', setAddress, 'default'), 'ip: RTNETLINK answers: Operation not permitted');
  t.is(await inside('capabilities', setAddress, 'added'), 'done');
  const mountIt = 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m && echo done';
  t.is(await inside('capabilities', mountIt, 'added'), 'mount: permission denied (are you root?)');
  t.is(await inside('capabilities', mountIt, 'privileged'), 'done');
  t.is(await inside('capabilities', 'test -e /dev/kmsg && echo there', 'privileged'), 'there');
  t.is(await inside('capabilities', 'test -e /dev/kmsg || echo not there', 'default'), 'not there');
  await bench.remove('capabilities', 0);
});

test('no_new_privs: a set-user-id program gives nothing', async (t) => {
  const raise = 'cp /usr/bin/id /data/id; chown 0 /data/id; chmod 4755 /data/id';
  const contexts = {
    allowed: { runAsUser: 1000 },
    refused: { runAsUser: 1000, allowPrivilegeEscalation: false },
  };
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  await bench.create('escalation', {
    volumes: [{ name: 'data', emptyDir: {} }],
    initContainers: [{ ...shell('prepare', raise), image: 'podwright.local/host', volumeMounts }],
    containers: Object.entries(contexts).map(([name, securityContext]) =>
      host(name, { securityContext, volumeMounts }),
    ),
  });
  await bench.running(t, 'escalation');
  t.is(await inside('escalation', statusField('NoNewPrivs'), 'allowed'), '0');
  t.is(await inside('escalation', statusField('NoNewPrivs'), 'refused'), '1');
  t.regex(await inside('escalation', '/data/id', 'allowed'), /^uid=1000\S* gid=\S+ euid=0\(root\)/);
  t.regex(await inside('escalation', '/data/id', 'refused'), /^uid=1000\S* gid=\S+ groups=/);
  await bench.remove('escalation', 0);
});

test('seccomp: RuntimeDefault refuses what Unconfined allows', async (t) => {
  const seccompProfile = (type: string) => ({ seccompProfile: { type } });
  await podOf(
    'seccomp',
    { confined: seccompProfile('RuntimeDefault'), free: seccompProfile('Unconfined'), unsaid: {} },
    { image: 'podwright.local/host' },
  );
  await bench.running(t, 'seccomp');
  const mode = (container: string) => inside('seccomp', statusField('Seccomp'), container);
  t.is(await mode('confined'), '2');
  t.is(await mode('free'), '0');
  t.is(await mode('unsaid'), '0', 'the kubelet’s seccompDefault is off, as upstream');
  const newUser = 'unshare --user true && echo done';
  const hasUserNamespaces = await run('unshare', ['--user', 'true']).then(
    () => true,
    () => false,
  );
  t.is(await inside('seccomp', newUser, 'confined'), 'unshare: unshare failed: Operation not permitted');
  if (!skipUnless(t, hasUserNamespaces, 'this kernel makes no user namespaces')) {
    t.is(await inside('seccomp', newUser, 'free'), 'done');
  }
  // keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0): refused with EPERM, else it gives a serial number or ENOSYS.
  const keyctl = `perl -e '$r = syscall(250, 0, -3, 0); print $r < 0 ? "errno " . ($!+0) : "done"'`;
  if (!skipUnless(t, existsSync('/usr/bin/perl') && process.arch === 'x64', 'no perl to call keyctl with')) {
    t.is(await inside('seccomp', keyctl, 'confined'), 'errno 1');
    t.not(await inside('seccomp', keyctl, 'free'), 'errno 1');
  }
  await bench.remove('seccomp', 0);
});

test('paths of /proc and /sys are masked or read-only, but not for the privileged', async (t) => {
  await podOf('masked', { main: {}, privileged: { privileged: true } });
  await bench.running(t, 'masked');
  for (const path of ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/sched_debug']) {
    if (!existsSync(path)) continue;
    t.is(await inside('masked', `head -c 1 ${path} | wc -c`), '0', path);
  }
  for (const path of ['/proc/acpi', '/proc/scsi', '/sys/firmware']) {
    if (existsSync(path)) t.is(await inside('masked', `ls -A ${path}`), '', path);
  }
  t.is(
    await inside('masked', 'echo x > /proc/sys/kernel/hostname'),
    "sh: can't create /proc/sys/kernel/hostname: Read-only file system",
  );
  for (const path of ['/proc/bus', '/proc/fs', '/proc/irq']) {
    if (existsSync(path))
      t.is(await inside('masked', `touch -c ${path}`), `touch: ${path}: Read-only file system`, path);
  }
  t.is(
    await inside('masked', 'mkdir /sys/fs/x'),
    "mkdir: can't create directory '/sys/fs/x': Read-only file system",
  );
  t.is(
    await inside(
      'masked',
      'cat /proc/sys/kernel/hostname > /proc/sys/kernel/hostname && echo written',
      'privileged',
    ),
    'written',
  );
  await bench.remove('masked', 0);
});

test('users and groups; a root that can not be written', async (t) => {
  const readOnly = { runAsUser: 1000, runAsGroup: 2000, readOnlyRootFilesystem: true };
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  await bench.create('users', {
    securityContext: { supplementalGroups: [4000, 5000], fsGroup: 6000 },
    volumes: [{ name: 'data', emptyDir: {} }],
    containers: [
      shell('main', forever, { volumeMounts }),
      shell('user', forever, { securityContext: readOnly, volumeMounts }),
    ],
  });
  await bench.running(t, 'users');
  t.is(await inside('users', 'id -u; id -g; id -G'), '0\n0\n0 4000 5000 6000');
  t.is(await inside('users', 'id -u; id -g; id -G', 'user'), '1000\n2000\n2000 4000 5000 6000');
  t.is(await inside('users', 'touch /x', 'user'), 'touch: /x: Read-only file system');
  t.is(await inside('users', 'touch /data/x && stat -c "%u %g" /data/x', 'user'), '1000 6000');
  t.is(await inside('users', 'stat -c "%a %g" /data'), '2777 6000');
  await bench.remove('users', 0);
});

test('the host’s namespaces, when asked', async (t) => {
  await bench.create('host', { hostPID: true, hostIPC: true, hostNetwork: true, containers: [host('main')] });
  await bench.create('own', { containers: [host('main')] });
  await bench.running(t, 'host');
  await bench.running(t, 'own');
  const namespaceOf = async (pod: string, kind: string) => inside(pod, `readlink /proc/self/ns/${kind}`);
  const { stdout: nodeNetwork } = await run('nsenter', [
    `--net=/run/netns/podwright-${bench.cluster.name}-node-1`,
    'readlink',
    '/proc/self/ns/net',
  ]);
  const own = async (kind: string) => (await run('readlink', [`/proc/self/ns/${kind}`])).stdout.trim();
  t.is(await namespaceOf('host', 'pid'), await own('pid'));
  t.is(await namespaceOf('host', 'ipc'), await own('ipc'));
  t.is(await namespaceOf('host', 'net'), nodeNetwork.trim());
  for (const kind of ['pid', 'ipc', 'uts', 'net', 'mnt', 'cgroup']) {
    t.not(await namespaceOf('own', kind), await own(kind), kind);
  }
  t.is(await inside('host', 'cat /proc/1/comm'), readFileSync('/proc/1/comm', 'utf8').trim());
  await bench.remove('host', 0);
  await bench.remove('own', 0);
});

test('a shared process namespace: pause is PID 1, and reaps what its children leave', async (t) => {
  await bench.create('shared', {
    shareProcessNamespace: true,
    containers: [shell('main', forever), shell('other', forever)],
  });
  await bench.running(t, 'shared');
  t.regex(await inside('shared', "tr '\\0' ' ' < /proc/1/cmdline"), /^\/pause/);
  t.regex(await inside('shared', 'ps'), /\n\s*\d+ root\s+sh -c trap[^]*\n\s*\d+ root\s+sh -c trap/);
  // A grandchild whose parent is gone falls to PID 1; when it has ended, nothing of it is left.
  t.is(
    await inside(
      'shared',
      `(sleep ${2 * patience} & echo $! > /tmp/orphan) ; grep PPid /proc/$(cat /tmp/orphan)/status`,
    ),
    'PPid:\t1',
  );
  await until(
    'the orphan is reaped',
    async () => (await inside('shared', 'test -e /proc/$(cat /tmp/orphan) || echo reaped')) === 'reaped',
  );
  t.is(await inside('shared', "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"), '0');
  await bench.remove('shared', 0);
});

test('sysctls of the Pod’s own namespaces; others are refused', async (t) => {
  const sysctls = [
    { name: 'net.ipv4.ip_local_port_range', value: '2000 3000' },
    { name: 'kernel.shm_rmid_forced', value: '1' },
  ];
  await bench.create('sysctls', { securityContext: { sysctls } });
  await bench.running(t, 'sysctls');
  t.is(await inside('sysctls', 'cat /proc/sys/net/ipv4/ip_local_port_range'), '2000\t3000');
  t.is(await inside('sysctls', 'cat /proc/sys/kernel/shm_rmid_forced'), '1');
  await bench.remove('sysctls', 0);

  const unsafe = [{ name: 'kernel.msgmax', value: '1000' }];
  await bench.create('unsafe', { securityContext: { sysctls: unsafe } });
  const { status } = await bench.podUntil(t, 'unsafe', (pod) => pod.status?.phase === 'Failed');
  t.is(status?.reason, 'SysctlForbidden');
  t.is(status?.message, 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted');
  await bench.remove('unsafe', 0);
});
