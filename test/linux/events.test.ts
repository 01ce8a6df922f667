import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { watchPath, type PathEvent } from '../../linux/inotify.ts';
import { until } from '../environment.ts';
import { scratch } from './scratch.ts';

test('reports exactly the events asked for, with names', async (t) => {
  const directory = scratch(t);
  const events: PathEvent[] = [];
  using _watch = watchPath(directory, ['closeWrite', 'movedTo', 'delete'], (event) => events.push(event));
  writeFileSync(join(directory, 'a'), 'x');
  renameSync(join(directory, 'a'), join(directory, 'b'));
  rmSync(join(directory, 'b'));
  await until('three events', () => events.length >= 3);
  t.deepEqual(events, [
    { events: ['closeWrite'], name: 'a' },
    { events: ['movedTo'], name: 'b' },
    { events: ['delete'], name: 'b' },
  ]);
});

test('two watches of one path each get their own events, until they are disposed', async (t) => {
  const directory = scratch(t);
  const created: string[] = [];
  const removed: string[] = [];
  const first = watchPath(directory, ['create'], ({ name }) => created.push(name));
  using _second = watchPath(directory, ['delete'], ({ name }) => removed.push(name));
  writeFileSync(join(directory, 'one'), '');
  await until('an event', () => created.length > 0);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  writeFileSync(join(directory, 'two'), '');
  rmSync(join(directory, 'one'));
  await until('an event', () => removed.length > 0);
  t.deepEqual([created, removed], [['one'], ['one']]);
});

test('says when the watched directory is gone', async (t) => {
  const directory = join(scratch(t), 'short-lived');
  mkdirSync(directory);
  const seen: string[] = [];
  using _watch = watchPath(directory, ['deleteSelf'], ({ events }) => seen.push(...events));
  rmSync(directory, { recursive: true });
  await until('the end of the watch', () => seen.includes('ignored'));
  t.deepEqual(seen, ['deleteSelf', 'ignored']);
});

test('many paths can be watched at once', async (t) => {
  const directory = scratch(t);
  const seen = new Set<number>();
  const watches = Array.from({ length: 300 }, (_, index) => {
    mkdirSync(join(directory, String(index)));
    return watchPath(join(directory, String(index)), ['create'], () => seen.add(index));
  });
  for (const index of watches.keys()) writeFileSync(join(directory, String(index), 'file'), '');
  await until('an event from each', () => seen.size === 300);
  for (const watch of watches) watch[Symbol.dispose]();
  t.is(seen.size, 300);
});

test('a path that is missing cannot be watched', (t) => {
  t.throws(() => watchPath('/nonexistent/kk', ['create'], () => undefined), {
    code: 'ENOENT',
    message: 'inotify_add_watch /nonexistent/kk: no such file or directory (ENOENT)',
  });
});
