import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  allCapabilities,
  capabilitySets,
  execInContainer,
  parseSeccompProfile,
  type ProcessSpec,
  runtimeDefaultProfile,
  type SeccompProfile,
} from '../../../runtime/native/index.ts';
import { hasCapability, skipUnless } from '../../environment.ts';
import { machine } from './machine.ts';

const shell = (script: string, rest: Partial<ProcessSpec> = {}): Partial<ProcessSpec> => ({
  args: ['sh', '-c', script],
  ...rest,
});
const status = 'grep -E "^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups)" /proc/self/status';
const fields = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string]),
  );

test('root has the default capabilities, in no more than three sets', async (t) => {
  const { stdout } = await machine(t).outcome(shell(status));
  const set = '00000000a80425fb';
  t.deepEqual(fields(stdout), {
    Uid: '0\t0\t0\t0',
    Gid: '0\t0\t0\t0',
    Groups: '',
    CapInh: '0000000000000000',
    CapPrm: set,
    CapEff: set,
    CapBnd: set,
    CapAmb: '0000000000000000',
    NoNewPrivs: '0',
    Seccomp: '0',
  });
});

test('a user has ids and groups, and no capability but the bounding set', async (t) => {
  const process = shell(`${status}; id; touch /etc/x; umask`, {
    uid: 1000,
    gid: 2000,
    additionalGids: [3000, 4000],
    umask: 0o077,
    noNewPrivileges: true,
  });
  const { stdout, stderr } = await machine(t).outcome(process);
  const [head = '', tail = ''] = stdout.split('uid=');
  t.like(fields(head), {
    Uid: '1000\t1000\t1000\t1000',
    Gid: '2000\t2000\t2000\t2000',
    Groups: '3000 4000 ',
    CapPrm: '0000000000000000',
    CapEff: '0000000000000000',
    CapBnd: '00000000a80425fb',
    NoNewPrivs: '1',
  });
  t.is(tail, '1000(user) gid=2000 groups=2000,3000,4000\n0077\n'.replace('groups=2000,', 'groups='));
  t.regex(stderr, /Permission denied/);
});

test('an id that does not fit into 32 bits starts nothing, least of all as root', async (t) => {
  const vm = machine(t);
  for (const ids of [{ uid: 2 ** 32 }, { uid: 2 ** 32 - 1 }, { gid: 2 ** 32 }, { additionalGids: [2 ** 32] }])
    await t.throwsAsync(vm.outcome(shell('id', ids)), { name: 'StartError', code: 'EINVAL' });
});

test('a user keeps the ambient capabilities', async (t) => {
  const capabilities = capabilitySets({ drop: ['ALL'], addAmbient: ['NET_BIND_SERVICE'] });
  const { stdout } = await machine(t).outcome(shell(status, { uid: 1000, gid: 1000, capabilities }));
  const only = '0000000000000400';
  t.like(fields(stdout), { CapInh: only, CapPrm: only, CapEff: only, CapBnd: only, CapAmb: only });
});

test('a container has a session keyring of its own, and so has a command in it', async (t) => {
  const hasPerl = existsSync('/usr/bin/perl') && process.arch === 'x64';
  if (skipUnless(t, hasPerl, 'no perl to call keyctl with')) return;
  // keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) gives its serial number.
  const ask = { args: ['/usr/bin/perl', '-e', 'print syscall(250, 0, -3, 0)'] };
  const own = execFileSync('/usr/bin/perl', ask.args.slice(1), { encoding: 'utf8' });
  if (skipUnless(t, own !== '-1', 'no session keyring here')) return;
  const vm = machine(t);
  const ofHost = () => {
    const { rootfs } = vm.specification('true');
    return { rootfs: { ...rootfs, lowerDirectories: ['/'] } };
  };
  const { spec, started } = await vm.start({ args: ['sleep', '1000'] }, ofHost());
  const command = { target: started, stateDir: spec.stateDir, process: { env: [], ...ask } };
  const found = [
    own,
    (await vm.outcome(ask, ofHost())).stdout,
    (await vm.outcome({ ...ask, uid: 1000, gid: 1000 }, ofHost())).stdout,
    (await execInContainer(command)).stdout.toString(),
  ];
  t.true(found.every((serial) => Number(serial) > 0));
  t.is(new Set(found).size, found.length);
});

test('what is dropped cannot be done', async (t) => {
  const vm = machine(t);
  const attempts =
    'chroot / true && echo chroot; touch /tmp/f && busybox chown 5 /tmp/f && echo chown; mount -t tmpfs x /tmp 2>/dev/null && echo mount; true';
  t.is((await vm.outcome(shell(attempts))).stdout, 'chroot\nchown\n');
  const none = capabilitySets({ drop: ['ALL'] });
  t.is((await vm.outcome(shell(attempts, { capabilities: none }))).stdout, '');
  const some = capabilitySets({ drop: ['ALL'], add: ['CAP_SYS_ADMIN'] });
  t.is((await vm.outcome(shell(attempts, { capabilities: some }))).stdout, 'mount\n');
});

test('the rules of add and drop', (t) => {
  const sets = (request: Parameters<typeof capabilitySets>[0]) => capabilitySets(request).bounding.toSorted();
  t.deepEqual(sets({ drop: ['ALL'], add: ['KILL'] }), ['KILL']);
  t.deepEqual(
    sets({ add: ['ALL'], drop: ['CAP_SYS_ADMIN'] }),
    allCapabilities()
      .filter((name) => name !== 'SYS_ADMIN')
      .toSorted(),
  );
  t.deepEqual(sets({ privileged: true }), allCapabilities().toSorted());
  t.false(sets({ drop: ['net_raw'] }).includes('NET_RAW'));
  t.throws(() => capabilitySets({ add: ['FLY'] }), { message: 'unknown capability "FLY"' });
});

test('RuntimeDefault seccomp blocks what it must, and lets programs work', async (t) => {
  const vm = machine(t);
  const capabilities = capabilitySets({});
  const seccomp = runtimeDefaultProfile({ capabilities: capabilities.bounding });
  const attempts =
    'unshare -U true 2>&1; unshare -u true 2>&1; seq 3 | sort | tail -1; grep ^Seccomp: /proc/self/status';
  const { stdout } = await vm.outcome(shell(attempts, { seccomp, capabilities }));
  t.is(
    stdout,
    'unshare: unshare(0x10000000): Operation not permitted\nunshare: unshare(0x4000000): Operation not permitted\n3\nSeccomp:\t2\n',
  );
  const privileged = capabilitySets({ privileged: true });
  const wider = runtimeDefaultProfile({ capabilities: privileged.bounding });
  t.is(
    (await vm.outcome(shell('unshare -u true && echo may', { seccomp: wider, capabilities: privileged })))
      .stdout,
    'may\n',
  );
});

test('a seccomp filter works for a user without no_new_privs too', async (t) => {
  const seccomp = runtimeDefaultProfile({ capabilities: [] });
  const { stdout } = await machine(t).outcome(shell(status, { seccomp, uid: 1000, gid: 1000 }));
  t.like(fields(stdout), { Seccomp: '2', NoNewPrivs: '0', Uid: '1000\t1000\t1000\t1000' });
});

test('a Localhost profile decides by system call and argument', async (t) => {
  const seccomp = parseSeccompProfile(
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [
        { names: ['mkdir', 'mkdirat', 'no_such_call'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 },
        { names: ['kill'], action: 'SCMP_ACT_ERRNO', args: [{ index: 1, value: 10, op: 'SCMP_CMP_EQ' }] },
      ],
    }),
  );
  const { stderr, exitCode } = await machine(t).outcome(
    shell('mkdir /tmp/x; kill -USR1 $$; kill -0 $$', { seccomp }),
  );
  t.regex(stderr, /mkdir: can't create directory '\/tmp\/x': No space left on device/);
  t.regex(stderr, /can't kill pid 1: Operation not permitted/);
  t.is(exitCode, 0);
});

test('with no_new_privs a profile need allow nothing of the start but execve, in exec neither', async (t) => {
  const ours = ['capget', 'capset', 'close_range', 'faccessat2', 'setresuid', 'chdir', 'getcwd'];
  const kill = { names: ours, action: 'SCMP_ACT_KILL_PROCESS' };
  const seccomp: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [kill] };
  const strict = { seccomp, noNewPrivileges: true, uid: 1000, gid: 1000 };
  const vm = machine(t);
  const look = { args: ['grep', '-E', '^(Seccomp|CapEff):', '/proc/self/status'], ...strict };
  const seen = 'CapEff:\t0000000000000000\nSeccomp:\t2\n';
  t.like(await vm.outcome(look), { stdout: seen, stderr: '', exitCode: 0 });
  const { spec, started } = await vm.start({ args: ['sleep', '1000'], ...strict });
  const process = { env: [], ...look };
  const { stdout } = await execInContainer({ target: started, stateDir: spec.stateDir, process });
  t.is(stdout.toString(), seen);
  const fds = await vm.outcome({ ...look, args: ['ls', '/proc/self/fd'] });
  t.is(fds.stdout, '0\n1\n2\n3\n', 'three, and the directory that is listed');
  await t.throwsAsync(vm.start({ ...look, args: ['nonesuch'] }), { code: 'ENOENT', message: /"nonesuch"/ });
});

test('a working directory that only root may enter is entered for a user, in exec too', async (t) => {
  const vm = machine(t);
  const spec = vm.specification('true');
  mkdirSync(join(spec.rootfs.upperDirectory, 'closed/inner'), { recursive: true, mode: 0o700 });
  const user = {
    cwd: '/closed/inner',
    uid: 1000,
    gid: 1000,
    capabilities: capabilitySets({ drop: ['ALL'] }),
  };
  const { started } = await vm.start({ args: ['sleep', '1000'], ...user }, { rootfs: spec.rootfs });
  t.is(readlinkSync(`/proc/${started.pid}/cwd`), '/closed/inner');
  const process = { args: ['readlink', '/proc/self/cwd'], env: [], ...user };
  const { stdout } = await execInContainer({ target: started, stateDir: spec.stateDir, process });
  t.is(stdout.toString(), '/closed/inner\n');
});

test.serial(
  'directories made for mounts let every user through, whatever the umask of the daemon',
  async (t) => {
    const vm = machine(t);
    const source = join(vm.directory, 'volume');
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'read\n');
    const { rootfs } = vm.specification('true');
    const before = process.umask(0o077);
    try {
      const mounts = [{ source, target: '/made/for/it' }];
      const { stdout } = await vm.outcome(shell('cat /made/for/it/file', { uid: 1000, gid: 1000 }), {
        mounts,
        rootfs,
      });
      t.is(stdout, 'read\n');
    } finally {
      process.umask(before);
    }
  },
);

test('a profile that kills ends the container with SIGSYS', async (t) => {
  const seccomp = parseSeccompProfile(
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_KILL_PROCESS"}]}',
  );
  t.like(await machine(t).outcome({ args: ['mkdir', '/tmp/x'], seccomp }), { exitCode: 159, signal: 31 });
});

test('a wrong profile is told by field', (t) => {
  const parse = (profile: unknown) => () => parseSeccompProfile(JSON.stringify(profile));
  t.throws(() => parseSeccompProfile('{'), { message: 'seccomp profile is not JSON' });
  t.throws(parse([]), { message: 'seccomp profile: profile: not an object' });
  t.throws(parse({ defaultAction: 'ALLOW' }), {
    message: 'seccomp profile: defaultAction: unknown action "ALLOW"',
  });
  const rule = (fields: object) => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_LOG', ...fields }],
  });
  t.throws(parse(rule({ action: 'SCMP_ACT_NOTIFY' })), {
    message: 'seccomp profile: syscalls[0].action: unknown action "SCMP_ACT_NOTIFY"',
  });
  t.throws(parse(rule({ args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] })), {
    message: /args\[0\]\.index: a system call has arguments 0 to 5/,
  });
  t.throws(parse(rule({ args: [{ index: 0, value: 0, op: '==' }] })), {
    message: /args\[0\]\.op: unknown operator "=="/,
  });
});

test('kernel paths are masked and read-only, but not for a privileged container', async (t) => {
  const vm = machine(t);
  const look =
    'ls /sys/firmware | wc -l; wc -c < /proc/interrupts; touch /proc/sys/kernel/domainname 2>&1; touch /sys/x 2>&1';
  const { stdout } = await vm.outcome(look);
  t.regex(stdout, /^0\n0\ntouch: .*Read-only file system\ntouch: .*Read-only file system\n$/);
  const { stdout: open } = await vm.outcome(
    shell('echo changed > /proc/sys/kernel/domainname && cat /proc/sys/kernel/domainname', {
      capabilities: capabilitySets({ privileged: true }),
    }),
    { privileged: true },
  );
  t.is(open, 'changed\n');
});

test('a privileged container has the host’s devices', async (t) => {
  const device = ['/dev/kmsg', '/dev/loop-control', '/dev/fuse'].find((path) => existsSync(path));
  if (skipUnless(t, device !== undefined, 'no device to look for')) return;
  const vm = machine(t);
  t.is((await vm.outcome(`test -c ${device} && echo here`)).stdout, '');
  t.is((await vm.outcome(`test -c ${device} && echo here`, { privileged: true })).stdout, 'here\n');
  t.is(
    (
      await vm.outcome(`test -c /dev/renamed && echo here`, {
        devices: [{ hostPath: device ?? '', containerPath: '/dev/renamed' }],
      })
    ).stdout,
    'here\n',
  );
});

test('limits are set; one that is beyond the right is a warning', async (t) => {
  const vm = machine(t);
  const nofile = shell('ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj', {
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
    oomScoreAdj: 500,
  });
  t.is((await vm.outcome(nofile)).stdout, '100\n200\n500\n');
  if (skipUnless(t, !hasCapability(24), 'this process may raise every limit')) return;
  const { started } = await vm.start({ args: ['sleep', '100'], oomScoreAdj: -500 });
  t.deepEqual(started.warnings, ['write /proc/self/oom_score_adj -500: permission denied (EACCES)']);
  t.is(readFileSync(`/proc/${started.pid}/oom_score_adj`, 'utf8'), '0\n');
});
