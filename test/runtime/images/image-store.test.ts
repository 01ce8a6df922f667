import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { run } from '../../../linux/command.ts';
import { mount } from '../../../linux/mount.ts';
import { hasCode } from '../../../linux/system-error.ts';
import { buildBusybox, hostImageName, loadImages, openImageStore } from '../../../runtime/images/index.ts';
import { leadsOut } from '../../../runtime/images/check-layer.ts';
import { adoptLayout } from '../../../runtime/images/unpack.ts';
import { isStatic } from '../../../runtime/images/build-busybox.ts';
import { scratch } from '../../linux/scratch.ts';
import { makeLayout } from './make-layout.ts';
import { scratchStore } from './scratch-store.ts';

const hello = [
  { name: 'etc/', type: '5' },
  { name: 'etc/hello', text: 'hello\n' },
  { name: 'etc/link', type: '2', linkName: '/etc/hello' },
];

test('busybox is built, found by every name it has, and the same when built again', async (t) => {
  const { store } = scratchStore(t);
  const image = await buildBusybox(store);
  const again = await buildBusybox(store);
  t.is(again.id, image.id);
  t.deepEqual(again.digests, image.digests);
  for (const name of [
    'busybox',
    'busybox:latest',
    'docker.io/library/busybox',
    image.id,
    image.id.slice(7),
    image.id.slice(7, 20),
  ])
    t.is(store.find(name)?.id, image.id, name);
  t.is(store.find('busybox:other'), undefined);
  const rootfs = store.rootfsOf(image);
  t.is(statSync(join(rootfs, 'tmp')).mode & 0o7777, 0o1777);
  t.regex(readFileSync(join(rootfs, 'etc/passwd'), 'utf8'), /^nobody:x:65534:65534:/m);
  t.is((await run(join(rootfs, 'bin/busybox'), ['echo', 'works'])).stdout, 'works');
});

test('the host is always an image and is never removed', async (t) => {
  const { store } = scratchStore(t);
  await store.remove(hostImageName);
  const host = store.find('podwright.local/host');
  t.is(host === undefined ? '' : store.rootfsOf(host), '/');
});

test('an OCI layout is loaded from its folder, from a tar of it, and as a docker archive', async (t) => {
  const { store, dir } = scratchStore(t);
  const layout = join(dir, 'layout');
  makeLayout(layout, {
    entries: hello,
    config: { Cmd: ['/x'], User: '7', Env: ['A=b'] },
    name: 'team/app:1',
  });
  const [image] = await loadImages({ store, file: layout });
  t.deepEqual(image?.tags, ['docker.io/team/app:1']);
  t.like(image?.config, { Cmd: ['/x'], User: '7', Env: ['A=b'] });
  t.is(readFileSync(join(store.rootfsOf(image ?? { id: '' }), 'etc/hello'), 'utf8'), 'hello\n');
  const archive = join(dir, 'layout.tar');
  await run('tar', ['-C', layout, '-cf', archive, '.']);
  t.is((await loadImages({ store, file: archive }))[0]?.id, image?.id);
  const docker = join(dir, 'docker.tar');
  await run('skopeo', [
    '--insecure-policy',
    'copy',
    `oci:${layout}:team/app:1`,
    `docker-archive:${docker}:other/name:2`,
  ]);
  t.deepEqual((await loadImages({ store, file: docker }))[0]?.tags, ['docker.io/other/name:2']);
});

test('a file that is no image is refused in words', async (t) => {
  const { store, dir } = scratchStore(t);
  const file = join(dir, 'text');
  writeFileSync(file, 'not an image\n'.repeat(100));
  await t.throwsAsync(loadImages({ store, file }), { message: /text: .*not a tar archive/ });
  await t.throwsAsync(loadImages({ store, file: join(dir, 'none') }), { message: /none: no such file/ });
});

const attacks = [
  { name: '../escaped', text: 'x' },
  { name: 'a/../../escaped', text: 'x' },
  { name: '/../escaped', text: 'x' },
  { name: 'link', type: '1', linkName: '../../escaped' },
];
for (const attack of attacks)
  test(`a layer with ${attack.name} ${attack.linkName ?? ''} is refused, and nothing is written`, async (t) => {
    const { store, dir } = scratchStore(t);
    makeLayout(join(dir, 'layout'), { entries: [...hello, attack] });
    await t.throwsAsync(loadImages({ store, file: join(dir, 'layout') }), { message: /out of the image/ });
    t.is(store.list().length, 1);
    t.deepEqual((await run('find', [dir, '-name', 'escaped'])).stdout, '');
  });

test('a layer that writes through its own symlink stays inside the tree', async (t) => {
  const { store, dir } = scratchStore(t);
  const outside = join(dir, 'outside');
  const entries = [
    ...hello,
    { name: 'door', type: '2', linkName: outside },
    { name: 'door/written', text: 'x' },
  ];
  makeLayout(join(dir, 'layout'), { entries });
  await loadImages({ store, file: join(dir, 'layout') }).catch(() => undefined); // refused or kept inside, both are good
  t.false(existsSync(outside));
});

test('an image in use is removed by name at once and by its files when the last container lets go', async (t) => {
  const { store, dir } = scratchStore(t);
  makeLayout(join(dir, 'layout'), { entries: hello, name: 'app:1' });
  const [image = { id: '' }] = await loadImages({ store, file: join(dir, 'layout') });
  const known = store.find('app:1');
  if (known === undefined) return t.fail('not loaded');
  store.lease(known, 'container-1');
  await openImageStore({ dir: store.dir }).remove('app:1'); // as another process would
  t.is(store.find('app:1'), undefined);
  t.true(existsSync(join(store.rootfsOf(image), 'etc/hello')));
  t.throws(() => store.lease(known, 'container-2'), { message: /not found/ });
  await store.release(image.id, 'container-1');
  await store.release(image.id, 'container-1');
  t.false(existsSync(store.rootfsOf(image)));
});

test('the files of an image go also where the disk has no room for one more', async (t) => {
  const disk = scratch(t);
  mount({ type: 'tmpfs', target: disk, data: 'nr_inodes=200' });
  const store = openImageStore({ dir: disk });
  const layout = join(scratch(t), 'layout');
  makeLayout(layout, { entries: hello, name: 'app:1' });
  await loadImages({ store, file: layout });
  const image = store.find('app:1');
  if (image === undefined) return t.fail('not loaded');
  store.lease(image, 'container-1');
  await store.remove('app:1');
  const fill = () => {
    for (let count = 0; ; count++) writeFileSync(join(disk, `file-${count}`), '');
  };
  t.throws(fill, { code: 'ENOSPC' });
  await store.release(image.id, 'container-1');
  t.false(existsSync(store.rootfsOf(image)));
  t.deepEqual(readdirSync(join(disk, 'incoming')), []);
});

/** Takes all the room that the disk has. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    if (!hasCode(error, 'ENOSPC')) throw error;
  } finally {
    closeSync(file);
  }
}

test('on a full disk an image is removed, none is loaded by half, and then they are loaded again', async (t) => {
  const disk = scratch(t);
  mount({ type: 'tmpfs', target: disk, data: 'size=4m' });
  const store = openImageStore({ dir: disk });
  const [one, two] = ['one', 'two'].map((name) => {
    const layout = join(scratch(t), 'layout');
    makeLayout(layout, { entries: [...hello, { name: 'big', text: name.repeat(400_000) }], name });
    return layout;
  }) as [string, string];
  const load = (file: string) => loadImages({ store, file });
  const there = () => [readdirSync(join(disk, 'trees')).length, readdirSync(join(disk, 'incoming')).length];
  await load(one);
  const image = store.find('layout:one');
  if (image === undefined) return t.fail('not loaded');

  const ballast = join(disk, 'ballast');
  fill(ballast);
  await t.throwsAsync(load(two), { message: /no space left on device/ });
  t.deepEqual(there(), [1, 0]);
  store.lease(image, 'container-1');
  await t.throwsAsync(store.remove('layout:one'), { code: 'ENOSPC' });
  t.is(store.find('layout:one')?.id, image.id, 'in use, it makes no room');
  await store.release(image.id, 'container-1');
  await store.remove('layout:one');
  t.is(store.find('layout:one'), undefined);
  t.deepEqual(there(), [0, 0]);

  fill(ballast);
  rmSync(ballast);
  const { path } = await store.incoming();
  for (const folder of ['rootfs', 'leases']) mkdirSync(join(path, folder));
  fill(ballast);
  await t.throwsAsync(store.publish({ ...image, id: 'sha256:0' }, path), { code: 'ENOSPC' });
  t.deepEqual(there(), [0, 0]);
  rmSync(ballast);
  t.deepEqual((await load(two))[0]?.tags, ['docker.io/library/layout:two']);
});

test('a tree that a killed process had not listed yet goes when an image comes in', async (t) => {
  const { store } = scratchStore(t);
  for (const path of ['unlisted/rootfs', 'used/rootfs', 'used/leases/container-1'])
    mkdirSync(join(store.dir, 'trees', path), { recursive: true });
  await using _incoming = await store.incoming();
  t.deepEqual(readdirSync(join(store.dir, 'trees')), ['used']);
});

test('a tag moves to the image that has it last; removing one name removes the image with all its names', async (t) => {
  const { store, dir } = scratchStore(t);
  makeLayout(join(dir, 'one'), { entries: hello, name: 'app:1' });
  makeLayout(join(dir, 'two'), { entries: [{ name: 'other', text: 'x' }], name: 'app:1' });
  const [one] = await loadImages({ store, file: join(dir, 'one') });
  const [two] = await loadImages({ store, file: join(dir, 'two') });
  t.is(store.find('app:1')?.id, two?.id);
  t.deepEqual(store.find(one?.id ?? '')?.tags, []);
  await store.remove('app:1');
  await store.remove('app:1');
  t.deepEqual(
    store.list().map(({ id }) => id),
    [store.find(hostImageName)?.id ?? '', one?.id ?? ''],
  );
});

test('an image that is listed without its tree is unpacked again', async (t) => {
  const { store, dir } = scratchStore(t);
  const layout = join(dir, 'layout');
  makeLayout(layout, { entries: hello });
  const names = { tags: ['docker.io/library/app:1'], digests: [] };
  const image = await adoptLayout({ store, layout, ...names });
  rmSync(join(store.rootfsOf(image), '..'), { recursive: true });
  await adoptLayout({ store, layout, ...names });
  t.is(readFileSync(join(store.rootfsOf(image), 'etc/hello'), 'utf8'), 'hello\n');
  t.is(store.list().length, 2);
});

test('an image that one process removes while another brings it in has its tree, or is not listed', async (t) => {
  const { store, dir } = scratchStore(t);
  const layout = join(dir, 'layout');
  makeLayout(layout, { entries: hello });
  const other = openImageStore({ dir: store.dir });
  const bring = () => adoptLayout({ store, layout, tags: ['docker.io/library/app:1'], digests: [] });
  for (let round = 0; round < 5; round++) {
    const { id } = await bring();
    await Promise.all([other.remove(id), bring()]);
    t.is(existsSync(store.rootfsOf({ id })), store.find(id) !== undefined);
    await Promise.all([bring(), other.remove(id), bring(), other.remove(id)]);
    t.is(existsSync(store.rootfsOf({ id })), store.find(id) !== undefined);
  }
  t.deepEqual(readdirSync(join(store.dir, 'incoming')), []);
});

test('all leases of a holder are taken back at once, and nobody else’s', async (t) => {
  const { store, dir } = scratchStore(t);
  for (const name of ['one', 'two'])
    makeLayout(join(dir, name), { entries: [{ name, text: name }], name: `${name}:1` });
  const [one] = await loadImages({ store, file: join(dir, 'one') });
  const [two] = await loadImages({ store, file: join(dir, 'two') });
  if (one === undefined || two === undefined) return t.fail('not loaded');
  for (const image of [one, two]) store.lease(image, 'container-1');
  store.lease(two, 'container-2');
  for (const image of [one, two]) await store.remove(image.id);
  await store.releaseAll('container-1');
  await store.releaseAll('container-1');
  t.false(existsSync(store.rootfsOf(one)));
  t.true(existsSync(store.rootfsOf(two)));
});

test('two processes that add images at once lose none', async (t) => {
  const { store, dir } = scratchStore(t);
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names)
    makeLayout(join(dir, name), { entries: [{ name, text: name }], name: `${name}:1` });
  await Promise.all(
    names.map((name) => loadImages({ store: openImageStore({ dir: store.dir }), file: join(dir, name) })),
  );
  t.deepEqual(
    store
      .list()
      .flatMap(({ tags }) => tags)
      .toSorted()
      .slice(0, 4),
    names.map((name) => `docker.io/library/${name}:1`),
  );
});

test('what a killed process left half done is taken away by the next one, and nobody else’s', async (t) => {
  const { store } = scratchStore(t);
  const abandoned = join(store.dir, 'incoming', '4194304-1-image');
  mkdirSync(join(abandoned, 'rootfs'), { recursive: true });
  await using mine = await store.incoming();
  openImageStore({ dir: store.dir });
  t.false(existsSync(abandoned));
  t.true(existsSync(mine.path));
});

test('paths that lead out are told from those that do not', (t) => {
  for (const path of ['..', '../x', 'a/../..', '/..', './../x']) t.true(leadsOut(path), path);
  for (const path of ['', '/', 'a', '/a', 'a/..', 'a/../b', './a', '...', '..a'])
    t.false(leadsOut(path), path);
});

test('a program that needs a dynamic loader is not taken for static', (t) => {
  t.false(isStatic(readFileSync('/bin/sh')));
});
