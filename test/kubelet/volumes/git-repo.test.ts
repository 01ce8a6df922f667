import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { makeNode, makePod } from './node.ts';
import { until } from '../../environment.ts';

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

/** A repository of two commits, served over plain HTTP. */
const serveRepository = async (t: ExecutionContext, fill: (work: string) => void = () => undefined) => {
  const scratch = mkdtempSync(join(tmpdir(), 'vv-git-'));
  const work = join(scratch, 'work');
  mkdirSync(work);
  git(work, 'init', '-q', '-b', 'main');
  writeFileSync(join(work, 'file'), 'first');
  fill(work);
  git(work, 'add', '-A');
  git(work, 'commit', '-qm', 'first');
  const first = git(work, 'rev-parse', 'HEAD');
  writeFileSync(join(work, 'file'), 'second');
  git(work, 'commit', '-qam', 'second');
  git(scratch, 'clone', '-q', '--bare', work, 'project.git');
  git(join(scratch, 'project.git'), 'update-server-info');
  const server = createServer((request, response) => {
    const path = join(scratch, new URL(request.url ?? '/', 'http://x').pathname);
    if (!existsSync(path) || statSync(path).isDirectory()) response.writeHead(404).end();
    else response.end(readFileSync(path));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => {
    server.close();
    rmSync(scratch, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  return { repository: `http://127.0.0.1:${port}/project.git`, first, scratch };
};

test('clones the newest revision into a folder of the repository’s name, once', async (t) => {
  const { repository } = await serveRepository(t);
  const node = makeNode(t);
  const pod = makePod([{ name: 'code', gitRepo: { repository } }]);
  const mounted = await node.volumes.waitForMount(pod);
  const path = mounted.get('code')?.hostPath ?? '';
  t.is(readFileSync(join(path, 'project/file'), 'utf8'), 'second');
  writeFileSync(join(path, 'project/file'), 'changed by the Pod');
  await node.restart();
  await node.volumes.waitForMount(pod);
  t.is(readFileSync(join(path, 'project/file'), 'utf8'), 'changed by the Pod');
});

test('a revision, a directory, fsGroup', async (t) => {
  const { repository, first } = await serveRepository(t);
  const node = makeNode(t);
  const pod = makePod(
    [
      { name: 'here', gitRepo: { repository, revision: first, directory: '.' } },
      { name: 'named', gitRepo: { repository, revision: first, directory: 'code' } },
      { name: 'deep', gitRepo: { repository, directory: 'a/b' } },
    ],
    { securityContext: { fsGroup: 4321 } },
  );
  await node.volumes.waitForMount(pod);
  t.is(readFileSync(join(node.pathOf(pod, 'git-repo', 'here'), 'file'), 'utf8'), 'first');
  t.is(readFileSync(join(node.pathOf(pod, 'git-repo', 'named'), 'code/file'), 'utf8'), 'first');
  t.is(readFileSync(join(node.pathOf(pod, 'git-repo', 'deep'), 'a/b/file'), 'utf8'), 'second');
  const info = statSync(join(node.pathOf(pod, 'git-repo', 'named'), 'code/file'));
  t.deepEqual([info.gid, info.mode & 0o777], [4321, 0o664]);
});

test('a large repository is given to the fsGroup without keeping the node from all else', async (t) => {
  const { repository } = await serveRepository(t, (work) => {
    for (let file = 0; file < 5000; file += 1) writeFileSync(join(work, `empty-${file}`), '');
  });
  const node = makeNode(t);
  const pod = makePod([{ name: 'code', gitRepo: { repository, directory: '.' } }], {
    securityContext: { fsGroup: 4321 },
  });
  const path = node.pathOf(pod, 'git-repo', 'code');
  let seenHalfway = false;
  const isGiven = (name: string) => statSync(join(path, name), { throwIfNoEntry: false })?.gid === 4321;
  const look = setInterval(() => {
    // The folder itself comes last.
    seenHalfway ||= existsSync(path) && !isGiven('') && readdirSync(path).some(isGiven);
  }, 1);
  t.teardown(() => clearInterval(look));
  await node.volumes.waitForMount(pod);
  t.true(isGiven(''));
  t.true(seenHalfway);
});

test('no code of the repository runs, and its links stay links', async (t) => {
  const marker = join(mkdtempSync(join(tmpdir(), 'vv-hook-')), 'ran');
  t.teardown(() => rmSync(join(marker, '..'), { recursive: true }));
  const { repository, first } = await serveRepository(t, (work) => {
    mkdirSync(join(work, 'hooks'));
    writeFileSync(join(work, 'hooks/post-checkout'), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
    writeFileSync(join(work, '.gitattributes'), 'file filter=evil\n');
    symlinkSync('/etc/passwd', join(work, 'link'));
    symlinkSync('../../../..', join(work, 'up'));
  });
  const node = makeNode(t);
  const pod = makePod([{ name: 'code', gitRepo: { repository, revision: first, directory: '.' } }]);
  await node.volumes.waitForMount(pod);
  t.false(existsSync(marker));
  t.true(readdirSync(node.pathOf(pod, 'git-repo', 'code')).includes('up'));
});

const message = (why: string) => `MountVolume.SetUp failed for volume "code" : ${why}`;

const refused: [string, { repository: string; revision?: string; directory?: string }, string][] = [
  [
    'an option as repository',
    { repository: '--upload-pack=touch /tmp/x' },
    '"--upload-pack=touch /tmp/x" is an invalid value for repository',
  ],
  [
    'an option as revision',
    { repository: 'http://x/y', revision: '-x' },
    '"-x" is an invalid value for revision',
  ],
  [
    'a folder above',
    { repository: 'http://x/y', directory: '../out' },
    '"../out" is not a valid directory, it must not contain \'..\'',
  ],
  [
    'an absolute folder',
    { repository: 'http://x/y', directory: '/tmp/out' },
    '"/tmp/out" is not a valid directory, it must not contain \'..\'',
  ],
  [
    'a deep folder with a revision',
    { repository: 'http://x/y', revision: 'a', directory: 'b/c' },
    '"b/c" is not a valid directory, it must not contain a directory separator',
  ],
];
const notAllowed = [
  '/root/repo',
  'file:///root/repo',
  'ext::sh -c id',
  'ssh://root@127.0.0.1/r',
  'root@host:r',
  './r',
];
for (const repository of notAllowed) {
  refused.push([
    repository,
    { repository },
    `repository "${repository}" is not allowed: it must be reached by one of https://, http://, git://`,
  ]);
}

for (const [title, gitRepo, why] of refused) {
  test(`refuses ${title}`, async (t) => {
    const node = makeNode(t);
    const pod = makePod([{ name: 'code', gitRepo }]);
    await t.throwsAsync(node.volumes.waitForMount(pod, { timeoutMs: 50 }));
    t.is(node.events[0]?.message, message(why));
    t.false(existsSync(node.pathOf(pod, 'git-repo', 'code')));
  });
}

test('a failed clone tells git’s words, and is tried again from an empty folder', async (t) => {
  const { repository, scratch } = await serveRepository(t);
  const node = makeNode(t);
  rmSync(join(scratch, 'project.git/info/refs'));
  const pod = makePod([{ name: 'code', gitRepo: { repository } }]);
  const mounted = node.volumes.waitForMount(pod);
  await until('an event', () => node.events.length > 0);
  t.regex(
    node.events[0]?.message ?? '',
    /^MountVolume\.SetUp failed for volume "code" : failed to exec 'git clone -- http:\S+': [\s\S]*not found: exit status 128$/,
  );
  git(join(scratch, 'project.git'), 'update-server-info');
  await mounted;
  t.is(readFileSync(join(node.pathOf(pod, 'git-repo', 'code'), 'project/file'), 'utf8'), 'second');
});
