import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { writeAtomically } from '../../../kubelet/volumes/atomic-writer.ts';
import type { Payload } from '../../../kubelet/volumes/payload.ts';
import { watchPath } from '../../../linux/inotify.ts';
import { patience, until } from '../../environment.ts';

const scratch = mkdtempSync(join(tmpdir(), 'vv-writer-'));
test.after.always(() => rmSync(scratch, { recursive: true }));
const directory = (): string => mkdtempSync(join(scratch, 'd-'));

const payloadOf = (files: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

/** What a container sees: every file below the visible names, by path. */
const visibleFiles = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root)
      .filter((name) => !name.startsWith('..'))
      .flatMap((name) => filesAt(root, name)),
  );

const filesAt = (root: string, path: string): [string, string][] => {
  const full = join(root, path);
  if (!existsSync(full)) return [[path, '<dangling>']];
  if (!statSync(full).isDirectory()) return [[path, readFileSync(full, 'utf8')]];
  return readdirSync(full).flatMap((name) => filesAt(root, join(path, name)));
};

test('lays the files out as upstream does', (t) => {
  const root = directory();
  const changed = writeAtomically({ directory: root, payload: payloadOf({ a: '1', 'dir/b': '2' }, 0o400) });
  t.true(changed);
  t.is(readlinkSync(join(root, 'a')), '..data/a');
  t.is(readlinkSync(join(root, 'dir')), '..data/dir');
  t.regex(readlinkSync(join(root, '..data')), /^\.\.\d{4}(_\d\d){5}\.\d+$/);
  t.is(statSync(join(root, 'dir/b')).mode & 0o7777, 0o400);
  t.is(lstatSync(join(root, readlinkSync(join(root, '..data')))).mode & 0o7777, 0o755);
  t.deepEqual(visibleFiles(root), { a: '1', 'dir/b': '2' });
  t.deepEqual(readdirSync(root).length, 4);
});

test('writes nothing when nothing changed', (t) => {
  const root = directory();
  const payload = payloadOf({ a: '1', 'x/y/z': '2' });
  writeAtomically({ directory: root, payload });
  const before = readlinkSync(join(root, '..data'));
  const steps: string[] = [];
  t.false(writeAtomically({ directory: root, payload, onStep: (step) => steps.push(step) }));
  t.deepEqual(steps, []);
  t.is(readlinkSync(join(root, '..data')), before);
});

test('replaces, adds and removes files, and the remains of the old version', (t) => {
  const root = directory();
  writeAtomically({ directory: root, payload: payloadOf({ gone: '1', stays: '1', 'd/gone': '1' }) });
  const old = readlinkSync(join(root, '..data'));
  t.true(writeAtomically({ directory: root, payload: payloadOf({ stays: '2', new: '2' }) }));
  t.deepEqual(visibleFiles(root), { stays: '2', new: '2' });
  t.false(existsSync(join(root, old)));
  t.deepEqual(
    readdirSync(root)
      .filter((name) => !name.startsWith('..2'))
      .sort(),
    ['..data', 'new', 'stays'],
  );
});

test('an empty payload is an empty folder', (t) => {
  const root = directory();
  t.true(writeAtomically({ directory: root, payload: payloadOf({}) }));
  t.deepEqual(visibleFiles(root), {});
  t.true(existsSync(join(root, '..data')));
  t.true(writeAtomically({ directory: root, payload: payloadOf({ a: '1' }) }));
  t.true(writeAtomically({ directory: root, payload: payloadOf({}) }));
  t.deepEqual(visibleFiles(root), {});
});

test('a removed data directory is made again', (t) => {
  const root = directory();
  writeAtomically({ directory: root, payload: payloadOf({ a: '1' }) });
  rmSync(join(root, readlinkSync(join(root, '..data'))), { recursive: true });
  t.true(writeAtomically({ directory: root, payload: payloadOf({ a: '1' }) }));
  t.deepEqual(visibleFiles(root), { a: '1' });
});

const refusals: [string, string][] = [
  ['', 'invalid path: must not be empty: ""'],
  ['/etc/passwd', 'invalid path: must be relative path: /etc/passwd'],
  ['../x', "invalid path: must not contain '..': ../x"],
  ['a/../../x', "invalid path: must not contain '..': a/../../x"],
  ['..data/x', "invalid path: must not start with '..': ..data/x"],
  ['./..data', "invalid path: must not start with '..': ./..data"],
  ['a'.repeat(256), 'invalid path: filenames must be less than or equal to 255 characters'],
  ['a/'.repeat(2049), 'invalid path: must be less than or equal to 4096 characters'],
];

for (const [path, message] of refusals) {
  test(`refuses the path ${JSON.stringify(path.slice(0, 20))}: ${message.slice(14, 45)}`, (t) => {
    const root = directory();
    t.throws(() => writeAtomically({ directory: root, payload: payloadOf({ [path]: '1' }) }), { message });
    t.deepEqual(readdirSync(root), []);
  });
}

test('does not write through a link that stands where a file should', (t) => {
  const root = directory();
  const outside = directory();
  symlinkSync(outside, join(root, 'a'));
  writeAtomically({ directory: root, payload: payloadOf({ 'a/x': '1' }) });
  t.deepEqual(readdirSync(outside), []);
});

const names = fc.constantFrom('a', 'b', 'c', 'd/x', 'd/y', 'e/f/g');
const payloads = fc
  .dictionary(names, fc.constantFrom('1', '2', 'three'), { noNullPrototype: true })
  .map((files) => files);

class Crash extends Error {}

test('a crash at any step leaves the old or the new version, and the next write heals it', (t) => {
  fc.assert(
    fc.property(payloads, payloads, fc.nat(24), (before, after, crashAt) => {
      const root = directory();
      writeAtomically({ directory: root, payload: payloadOf(before) });
      let steps = 0;
      let crashedAt = '';
      try {
        writeAtomically({
          directory: root,
          payload: payloadOf(after),
          onStep(step) {
            if (steps++ !== crashAt) return;
            crashedAt = step;
            throw new Crash();
          },
        });
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      // Through ..data a reader has one version, whole.
      const data = Object.fromEntries(filesAt(root, '..data').map(([path, text]) => [path.slice(7), text]));
      delete data[''];
      t.true(
        [before, after].some((version) => same(version, data)),
        `${crashedAt}: ${JSON.stringify(data)}`,
      );
      writeAtomically({ directory: root, payload: payloadOf(after) });
      t.deepEqual(visibleFiles(root), after);
      const hidden = readdirSync(root).filter((name) => name.startsWith('..'));
      t.is(hidden.length, 2, hidden.join(' '));
      rmSync(root, { recursive: true });
    }),
    { numRuns: 300 },
  );
});

const same = (a: Record<string, string>, b: Record<string, string>): boolean =>
  isDeepStrictEqual({ ...a }, { ...b });

// A shell that pins one version by its directory, as a careful reader does, and compares two files of it.
const reader = `
cd "$1"
while [ ! -e stop ]; do
  cd -P ..data 2>/dev/null || continue
  a=$(cat a 2>/dev/null); b=$(cat b 2>/dev/null)
  if [ -n "$a" ] && [ -n "$b" ] && [ "$a" != "$b" ]; then echo "mixed $a $b"; exit 1; fi
  [ -n "$a" ] && n=$((n+1)) && echo "read $n"
  cd -P "$1"
done
`;

test('a reader in another process never sees two versions mixed', async (t) => {
  const root = directory();
  const write = (version: number) =>
    writeAtomically({ directory: root, payload: payloadOf({ a: `v${version}`, b: `v${version}` }) });
  write(0);
  const process = spawn('sh', ['-c', reader, 'sh', root], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  process.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const closed = once(process, 'close') as Promise<[number]>;
  const endMs = Date.now() + 1500 * patience;
  for (let version = 1; Date.now() < endMs; version += 1) {
    write(version);
    await setTimeout(5 * (patience - 1)); // a reader that is slow must get through a version now and then
  }
  await until('a version was read', () => output.length > 0);
  mkdirSync(join(root, 'stop'));
  const [code] = await closed;
  t.is(code, 0, Buffer.concat(output).toString());
});

test('a program watching the folder by inotify sees one switch of ..data', async (t) => {
  const root = directory();
  writeAtomically({ directory: root, payload: payloadOf({ a: '1', b: '1' }) });
  const seen: string[] = [];
  const { promise: switched, resolve } = Promise.withResolvers<void>();
  using _watch = watchPath(
    root,
    ['movedTo', 'modify', 'closeWrite', 'create', 'delete'],
    ({ events, name }) => {
      for (const event of events) seen.push(`${event} ${name.replace(/^\.\.2.*/, '..time')}`);
      if (events.includes('delete')) resolve();
    },
  );
  writeAtomically({ directory: root, payload: payloadOf({ a: '2', b: '2' }) });
  await switched;
  t.deepEqual(seen, ['create ..time', 'create ..data_tmp', 'movedTo ..data', 'delete ..time']);
});
