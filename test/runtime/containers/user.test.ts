import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { resolveUser } from '../../../runtime/containers/user.ts';
import type { LinuxContainerSecurityContext } from '../../../runtime/cri/types.ts';
import { scratch } from '../../linux/scratch.ts';

function image(t: ExecutionContext): { root: string; passwd: string } {
  const root = scratch(t);
  mkdirSync(join(root, 'etc'));
  const passwd = join(root, 'etc/passwd');
  writeFileSync(passwd, 'root:x:0:0::/root:/bin/sh\nweb:x:1000:2000::/srv:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'web:x:2000:\nextra:x:3000:web\n');
  return { root, passwd };
}

test('a user is looked up in the image, with the groups that it gives', (t) => {
  const { root, passwd } = image(t);
  t.deepEqual(resolveUser(root, 'web', null), {
    user: { uid: 1000, gid: 2000, supplementalGroups: [2000, 3000] },
    home: '/srv',
  });
  rmSync(passwd);
  symlinkSync('/etc/group', passwd);
  t.throws(() => resolveUser(root, 'sshd', null), { message: 'no users found for "sshd" in the image' });
});

test('an id that the kernel would take for another is refused, wherever it comes from', (t) => {
  const { root, passwd } = image(t);
  const highest = resolveUser(root, '2147483647:2147483647', null).user;
  t.deepEqual(highest, { uid: 2147483647, gid: 2147483647, supplementalGroups: [2147483647] });
  const refused = (user: string, id: 'uid' | 'gid', groups: number[] = []): unknown =>
    t.throws(() => resolveUser(root, user, { supplementalGroups: groups } as LinuxContainerSecurityContext), {
      message: `invalid USER value ${JSON.stringify(user)}: ${id} out of range`,
    });
  for (const uid of ['2147483648', '4294967295', '4294967296', '99999999999999999999']) {
    refused(uid, 'uid');
    refused(`1000:${uid}`, 'gid');
    refused('1000', 'gid', [Number(uid)]);
    writeFileSync(passwd, `big:x:${uid}:0::/:\n`);
    refused('big', 'uid');
    writeFileSync(passwd, `big:x:0:${uid}::/:\n`);
    refused('big', 'gid');
  }
});

test('what is no regular file is not opened, in place of /etc/passwd as of /etc/group', (t) => {
  for (const [name, make] of [
    ['passwd', (path: string) => execFileSync('mkfifo', [path])],
    ['passwd', (path: string) => execFileSync('mknod', [path, 'c', '1', '5'])],
    ['group', (path: string) => execFileSync('mkfifo', [path])],
    ['group', (path: string) => mkdirSync(path)],
  ] as const) {
    const { root } = image(t);
    rmSync(join(root, 'etc', name));
    make(join(root, 'etc', name));
    t.throws(() => resolveUser(root, '0', null), {
      message: `failed to read /etc/${name} of the image: not a regular file`,
    });
  }
});

test('more than 10 MiB of users is refused', (t) => {
  const { root, passwd } = image(t);
  truncateSync(passwd, 10 * 1024 * 1024 + 1);
  t.throws(() => resolveUser(root, '0', null), {
    message: 'failed to read /etc/passwd of the image: larger than 10485760 bytes',
  });
});
