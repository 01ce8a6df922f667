import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeVolumes, volumesOf } from '../../../runtime/containers/image-volumes.ts';
import type { ContainerRecord } from '../../../runtime/containers/record.ts';
import { scratch } from '../../linux/scratch.ts';

interface Place {
  outside: string;
  rootfs: string;
  container: string;
}

function place(t: ExecutionContext): Place {
  const directory = scratch(t);
  const paths = {
    outside: join(directory, 'outside'),
    rootfs: join(directory, 'image/tree/rootfs'),
    container: join(directory, 'container'),
  };
  for (const path of Object.values(paths)) mkdirSync(path, { recursive: true });
  writeFileSync(join(paths.outside, 'secret'), 'of the host');
  return paths;
}

const declared = (paths: string[], mounted: string[] = []): ContainerRecord =>
  ({
    imageConfig: { Volumes: Object.fromEntries(paths.map((path) => [path, {}])) },
    config: { mounts: mounted.map((containerPath) => ({ containerPath })) },
  }) as unknown as ContainerRecord;

async function fill({ rootfs, container }: Place, path: string): Promise<string> {
  const volumes = volumesOf(declared([path]), container);
  await makeVolumes(volumes, rootfs);
  return volumes[0]?.source ?? '';
}

test('paths are taken from the root, each once, and not where something is mounted anyway', (t) => {
  const targets = (...given: Parameters<typeof declared>) =>
    volumesOf(declared(...given), '/c').map(({ target }) => target);
  t.deepEqual(targets(['data/', '/data', '/b/../c', '/', '..', '../../x']), ['/c', '/data', '/x']);
  t.deepEqual(targets(['/data', '/logs/'], ['/logs', 'data/']), []);
});

test('no path leads out of the image', async (t) => {
  const there = place(t);
  const { rootfs, outside } = there;
  t.deepEqual(readdirSync(await fill(there, '../../../outside')), []);
  symlinkSync('../../../outside', join(rootfs, 'up'));
  symlinkSync(outside, join(rootfs, 'absolute'));
  symlinkSync('/', join(rootfs, 'root'));
  for (const path of ['/up', '/absolute', `/root${outside}`])
    t.deepEqual(readdirSync(await fill(there, path)), []);
  mkdirSync(join(rootfs, 'etc'));
  writeFileSync(join(rootfs, 'etc/mark'), '');
  t.deepEqual(readdirSync(await fill(there, '/root/etc')), ['mark'], 'a link inside is followed inside');
});

test('what is copied keeps owner, mode, links and extended attributes, the directory itself too', async (t) => {
  const there = place(t);
  const content = join(there.rootfs, 'data');
  mkdirSync(join(content, 'sub'), { recursive: true });
  chownSync(content, 999, 998);
  chmodSync(content, 0o2770);
  writeFileSync(join(content, 'file'), 'text');
  chownSync(join(content, 'file'), 997, 996);
  symlinkSync('/nowhere', join(content, 'link'));
  const attribute = trySetAttribute(join(content, 'file'));
  const source = await fill(there, '/data');
  const facts = (path: string) => {
    const { uid, gid, mode } = statSync(path);
    return { uid, gid, mode: mode & 0o7777 };
  };
  t.deepEqual(facts(source), { uid: 999, gid: 998, mode: 0o2770 });
  t.like(facts(join(source, 'file')), { uid: 997, gid: 996 });
  t.is(readFileSync(join(source, 'file'), 'utf8'), 'text');
  t.is(readlinkSync(join(source, 'link')), '/nowhere');
  t.true(existsSync(join(source, 'sub')));
  if (attribute) t.is(getAttribute(join(source, 'file')), 'user.note=kept');
  else t.log('no extended attributes: setfattr is missing, or the file system has none');
});

test('a volume on a file is an error that names it', async (t) => {
  const there = place(t);
  writeFileSync(join(there.rootfs, 'file'), '');
  await t.throwsAsync(fill(there, '/file'), {
    message: 'failed to copy image volume "/file": not a directory',
  });
});

// By Python, which every machine with a C compiler has (scripts/setup): the attr package is none of ours.
const python = (code: string, path: string): string =>
  execFileSync('python3', ['-c', `import os,sys; ${code}`, path], { encoding: 'utf8', stdio: 'pipe' }).trim();

function trySetAttribute(path: string): boolean {
  try {
    python('os.setxattr(sys.argv[1], "user.note", b"kept")', path);
    return true;
  } catch {
    return false; // a file system without them
  }
}

const getAttribute = (path: string): string =>
  python('print("user.note=" + os.getxattr(sys.argv[1], "user.note").decode())', path);
