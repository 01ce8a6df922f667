import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { status } from '@grpc/grpc-js';
import { findProcesses } from '../../../linux/find-processes.ts';
import type { CriError } from '../../../runtime/errors.ts';
import { pullImage } from '../../../runtime/images/index.ts';
import { until } from '../../environment.ts';
import { makeLayout } from './make-layout.ts';
import { scratchStore } from './scratch-store.ts';
import { serveLayout } from './tiny-registry.ts';

const entries = [{ name: 'file', text: 'pulled\n' }];

test('an image is pulled by tag, known by tag and digest, and asked for once when several want it', async (t) => {
  const { store, dir } = scratchStore(t);
  const { manifestDigest } = makeLayout(join(dir, 'layout'), { entries });
  const registry = await serveLayout(join(dir, 'layout'), { manifestDigest });
  t.teardown(() => registry.close());
  const name = `${registry.host}/team/app:1`;
  const once = await pullImage({ store, name });
  const requests = registry.manifestRequests();
  const [image, same] = await Promise.all([pullImage({ store, name }), pullImage({ store, name })]);
  t.is(registry.manifestRequests(), requests * 2);
  t.deepEqual([image.id, same.id], [once.id, once.id]);
  t.deepEqual(image.tags, [name]);
  t.deepEqual(image.digests, [`${registry.host}/team/app@${manifestDigest}`]);
  t.is(store.find(`${registry.host}/team/app@${manifestDigest}`)?.id, image.id);
  t.is(readFileSync(join(store.rootfsOf(image), 'file'), 'utf8'), 'pulled\n');
});

test('a password opens the registry; without it the pull is UNAUTHENTICATED', async (t) => {
  const { store, dir } = scratchStore(t);
  const { manifestDigest } = makeLayout(join(dir, 'layout'), { entries });
  const registry = await serveLayout(join(dir, 'layout'), { manifestDigest, password: 'secret' });
  t.teardown(() => registry.close());
  const name = `${registry.host}/team/app:1`;
  t.is(await codeOf(pullImage({ store, name })), status.UNAUTHENTICATED);
  t.is(
    await codeOf(pullImage({ store, name, credentials: { username: 'reader', password: 'wrong' } })),
    status.UNAUTHENTICATED,
  );
  const auth = Buffer.from('reader:secret').toString('base64');
  for (const credentials of [{ username: 'reader', password: 'secret' }, { auth }])
    t.deepEqual((await pullImage({ store, name, credentials })).tags, [name]);
});

test('what is not there is NOT_FOUND, who is not there UNAVAILABLE, what is no name INVALID_ARGUMENT', async (t) => {
  const { store, dir } = scratchStore(t);
  const { manifestDigest } = makeLayout(join(dir, 'layout'), { entries });
  const registry = await serveLayout(join(dir, 'layout'), { manifestDigest });
  const name = `${registry.host}/team/none:1`;
  const error = await t.throwsAsync(pullImage({ store, name }));
  t.is((error as CriError).code, status.NOT_FOUND);
  t.regex(error?.message ?? '', new RegExp(`^failed to pull and unpack image "${name}": `));
  registry.close();
  t.is(await codeOf(pullImage({ store, name: `${registry.host}/team/app:2` })), status.UNAVAILABLE);
  t.throws(() => void pullImage({ store, name: 'No Such' }), { message: /invalid reference format/ });
});

test('a registry that stalls is given up, and asked again the next time', async (t) => {
  const { store, dir } = scratchStore(t);
  const { manifestDigest } = makeLayout(join(dir, 'layout'), { entries });
  const registry = await serveLayout(join(dir, 'layout'), { manifestDigest, stalled: true });
  t.teardown(() => registry.close());
  const name = `${registry.host}/team/app:1`;
  const error = await t.throwsAsync(pullImage({ store, name, idleMs: 1000 }));
  t.is((error as CriError).code, status.CANCELLED);
  t.is(error?.message, `failed to pull and unpack image "${name}": no progress in 1 seconds`);
  registry.resume();
  t.deepEqual((await pullImage({ store, name })).tags, [name]);
});

test('who waits no longer is let go at once; the pull ends when the last has gone', async (t) => {
  const { store, dir } = scratchStore(t);
  const { manifestDigest } = makeLayout(join(dir, 'layout'), { entries });
  const registry = await serveLayout(join(dir, 'layout'), { manifestDigest, stalled: true });
  t.teardown(() => registry.close());
  const name = `${registry.host}/team/app:1`;
  const [one, other] = [new AbortController(), new AbortController()];
  const first = pullImage({ store, name, signal: one.signal });
  const second = pullImage({ store, name, signal: other.signal });
  const pulls = () =>
    findProcesses((words) => words[0] === 'skopeo' && words.some((word) => word.includes(name)));
  await until('skopeo', () => pulls().length === 1);
  one.abort();
  t.is(await codeOf(first), status.CANCELLED);
  t.is(pulls().length, 1);
  other.abort();
  t.is(await codeOf(second), status.CANCELLED);
  await until('the end of skopeo', () => pulls().length === 0);
  await until('nothing left', () => readdirSync(join(store.dir, 'incoming')).length === 0);
  registry.resume();
  t.deepEqual((await pullImage({ store, name })).tags, [name]);
});

const codeOf = (promise: Promise<unknown>): Promise<status | undefined> =>
  promise.then(
    () => undefined,
    (error: CriError) => error.code,
  );
