import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test from 'ava';
import { fileSystemStats, NoAnswerError } from '../../../kubelet/volumes/file-system-stats.ts';
import { localSourceOf } from '../../../kubelet/volumes/local/source.ts';
import { nfsPlugin } from '../../../kubelet/volumes/nfs.ts';
import { serverAnswers, serversAnswer } from '../../../kubelet/volumes/server-answers.ts';
import { usageOf } from '../../../linux/filesystem.ts';
import { skipUnless, until } from '../../environment.ts';
import { mountDeadServer } from './dead-server.ts';

const hasFuse = existsSync('/dev/fuse');
const noFuse = 'this kernel has no FUSE, which plays the dead server';
const answerMs = 300;

/** The processes that have a path among their words. */
const processesWith = (path: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(path);
    } catch {
      return false; // it has ended
    }
  });

test('a file system says how full it is, as the kernel counts', async (t) => {
  const stats = await nfsPlugin.stats?.(
    { name: 'x', volume: { name: 'x' }, readOnly: false, mode: 'Filesystem' },
    { podUid: '', volumeName: 'x', directory: '/proc', metaDirectory: '' },
  );
  t.like(stats, { capacityBytes: 0, usedBytes: 0, inodes: 0 });
  const { capacityBytes, inodes } = await usageOf(tmpdir());
  t.like(await fileSystemStats(tmpdir()), { capacityBytes, inodes });
  await t.throwsAsync(fileSystemStats('/not/there'), { name: 'CommandError' });
});

test('a server that is gone keeps nobody from other files, and has one process waiting for it', async (t) => {
  if (skipUnless(t, hasFuse, noFuse)) return;
  const { path } = mountDeadServer(t);
  const asked = Array.from({ length: 8 }, () => fileSystemStats(path, { answerMs }));
  const ended = Promise.allSettled(asked);
  t.true((await stat('/')).isDirectory());
  t.is(processesWith(path).length, 1);
  for (const result of await ended) {
    t.like(result, { status: 'rejected' });
    t.true(result.status === 'rejected' && result.reason instanceof NoAnswerError);
  }
  await until('no process is left', () => processesWith(path).length === 0);
});

test('a volume of a server that is gone is not touched', async (t) => {
  if (skipUnless(t, hasFuse, noFuse)) return;
  const { path } = mountDeadServer(t);
  await t.throwsAsync(serverAnswers(join(path, 'folder'), { answerMs }), {
    message: `statfs ${path}: no answer in 0.3 s`,
  });
  const link = `${path}-link`;
  symlinkSync(join(tmpdir(), '.', path.slice(tmpdir().length)), link);
  t.teardown(() => rmSync(link));
  for (const way of [path.replace('/', '//'), `${tmpdir()}/./x/../${basename(path)}`, join(link, 'folder')])
    await t.throwsAsync(
      serverAnswers(way, { answerMs }),
      { message: `statfs ${path}: no answer in 0.3 s` },
      way,
    );
  await serverAnswers(tmpdir());
  const volume = { name: 'share', nfs: { server: 'gone', path: '/' } };
  const mounted = {
    name: 'share',
    hostPath: path,
    readOnly: false,
    volume,
    spec: { name: 'share', volume, readOnly: false, mode: 'Filesystem' as const },
    isDevice: false,
  };
  const volumes = new Map([['share', mounted]]);
  const container = { volumeMounts: [{ name: 'share', mountPath: '/share' }] };
  await t.throwsAsync(serversAnswer(container, volumes, { answerMs }), {
    name: 'ContainerConfigError',
    message: 'the server of volume "share" doesn\'t answer; it is tried again until it does',
  });
  await serversAnswer({ volumeMounts: [] }, volumes, { answerMs });
});

test('nor is a local volume, however it is used', async (t) => {
  if (skipUnless(t, hasFuse, noFuse)) return;
  const { path } = mountDeadServer(t);
  const persistentVolume = { spec: { local: { path } } };
  const looks = (['Filesystem', 'Block'] as const).map((mode) => {
    const spec = { name: 'disk', volume: { name: 'data' }, persistentVolume, readOnly: false, mode };
    return t.throwsAsync(localSourceOf(spec), { message: `statfs ${path}: no answer in 10 s` });
  });
  await Promise.all(looks);
});
