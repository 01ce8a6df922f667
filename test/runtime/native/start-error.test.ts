import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ContainerSpec, ProcessSpec } from '../../../runtime/native/index.ts';
import { tracesOf } from '../../environment.ts';
import { machine } from './machine.ts';

const prefix = 'unable to start container process: error during container init: ';

const cases: {
  title: string;
  process: Partial<ProcessSpec>;
  message: string;
  exitCode: number;
  code: string;
}[] = [
  {
    title: 'a command that is nowhere in PATH',
    process: { args: ['no-such-command', 'x'] },
    message: 'exec: "no-such-command": executable file not found in $PATH',
    exitCode: 127,
    code: 'ENOENT',
  },
  {
    title: 'a path that is not there',
    process: { args: ['/bin/no-such'] },
    message: 'exec: "/bin/no-such": stat /bin/no-such: no such file or directory',
    exitCode: 127,
    code: 'ENOENT',
  },
  {
    title: 'a file that is not executable',
    process: { args: ['/etc/passwd'] },
    message: 'exec: "/etc/passwd": permission denied',
    exitCode: 126,
    code: 'EACCES',
  },
  {
    title: 'a directory',
    process: { args: ['/etc'] },
    message: 'exec: "/etc": is a directory',
    exitCode: 126,
    code: 'EISDIR',
  },
  {
    title: 'no command at all',
    process: { args: [''] },
    message: 'exec: "": executable file not found in $PATH',
    exitCode: 127,
    code: 'ENOENT',
  },
  {
    title: 'a PATH without it',
    process: { args: ['true'], env: ['PATH=/sbin:/nowhere'] },
    message: 'exec: "true": executable file not found in $PATH',
    exitCode: 127,
    code: 'ENOENT',
  },
  {
    title: 'a working directory that cannot be',
    process: { args: ['true'], cwd: `/${'x'.repeat(300)}` },
    message: `mkdir /${'x'.repeat(300)}: name too long`,
    exitCode: 128,
    code: 'ENAMETOOLONG',
  },
];

for (const { title, process, message, exitCode, code } of cases) {
  test(`${title}: the words that upstream has for it`, async (t) => {
    const vm = machine(t);
    const spec = vm.specification(process);
    await t.throwsAsync(vm.start(process, { rootfs: spec.rootfs }), {
      name: 'StartError',
      message: prefix + message,
      code,
    });
    const error = await t.throwsAsync(vm.start(process, { rootfs: spec.rootfs }));
    t.like(error, { exitCode });
  });
}

test('a file that is no program, and a script without its interpreter', async (t) => {
  const vm = machine(t);
  const spec = vm.specification('true');
  const put = (name: string, content: string) => {
    writeFileSync(join(spec.rootfs.upperDirectory, name), content);
    chmodSync(join(spec.rootfs.upperDirectory, name), 0o755);
  };
  put('garbage', '\x01\x02\x03\x04');
  put('script', '#!/no/interpreter\n');
  const start = (path: string) => vm.start({ args: [path] }, { rootfs: spec.rootfs });
  await t.throwsAsync(start('/garbage'), { message: `${prefix}exec /garbage: exec format error` });
  await t.throwsAsync(start('/script'), { message: `${prefix}exec /script: no such file or directory` });
});

const wrong: { title: string; overrides: Partial<ContainerSpec>; message: RegExp }[] = [
  {
    title: 'a mount whose source is missing',
    overrides: { mounts: [{ source: '/nonexistent/source', target: '/x' }] },
    message: /error mounting "\/nonexistent\/source" to rootfs: no such file or directory \(ENOENT\)$/,
  },
  {
    title: 'a namespace that is not there',
    overrides: {
      namespaces: { network: { path: '/run/netns/kk-nowhere' }, ipc: 'new', uts: 'new', pid: 'new' },
    },
    message: /join \/run\/netns\/kk-nowhere 0x40000000: no such file or directory \(ENOENT\)$/,
  },
  {
    title: 'a cgroup that is not there, of v1',
    overrides: { cgroup: { entrance: { tasksFiles: ['/sys/fs/cgroup/nowhere/tasks'] } } },
    message: /write \/sys\/fs\/cgroup\/nowhere\/tasks 0: no such file or directory \(ENOENT\)$/,
  },
  {
    title: 'a cgroup that is not there, of v2',
    overrides: { cgroup: { entrance: { tasksFiles: [], unifiedDirectory: '/sys/fs/cgroup/nowhere' } } },
    message: /cgroup \/sys\/fs\/cgroup\/nowhere: no such file or directory \(ENOENT\)$/,
  },
  {
    title: 'a directory that is no cgroup',
    overrides: { cgroup: { entrance: { tasksFiles: [], unifiedDirectory: '/etc' } } },
    message: /fork 0x[0-9a-f]+: bad file descriptor \(EBADF\)$/,
  },
  {
    title: 'a directory mounted on a file',
    overrides: { mounts: [{ source: '/etc', target: '/etc/passwd' }] },
    message: /error mounting to rootfs at "\/etc\/passwd": not a directory: are you trying/,
  },
];

for (const { title, overrides, message } of wrong) {
  test(`${title}: the step and its errno, and nothing is left`, async (t) => {
    const vm = machine(t);
    await t.throwsAsync(vm.start('true', overrides), { name: 'StartError', message });
    t.deepEqual(tracesOf(vm.mark, ['mounts', 'processes', 'networkNamespaces']), {});
    const [id = ''] = readdirSync(vm.directory);
    t.deepEqual(
      readdirSync(join(vm.directory, id, 'state')).filter((name) => name !== 'plan'),
      [],
    );
  });
}

test('an unknown capability, limit or device is an error before anything is started', async (t) => {
  const vm = machine(t);
  const capabilities = { bounding: ['FLY'], effective: [], permitted: [], inheritable: [], ambient: [] };
  await t.throwsAsync(vm.start({ capabilities }), { message: 'unknown capability "FLY"' });
  await t.throwsAsync(vm.start({ rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }), {
    message: 'unknown resource limit "RLIMIT_X"',
  });
  await t.throwsAsync(vm.start('true', { devices: [{ hostPath: '/etc/passwd', containerPath: '/dev/x' }] }), {
    message: '/etc/passwd is not a device',
  });
});
