import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { patience, until } from '../environment.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { runPod } from './pod.ts';

// What happens while a container is being created, which here takes a while.

let daemon: Daemon;

test.before(async () => {
  daemon = await startDaemon({
    env: { PODWRIGHT_FAILPOINTS: `runtime.create.after-lease=sleep(${1000 * patience})` },
  });
});

test.after.always('nothing is left behind', async (t) => {
  t.deepEqual(await daemon.end(), []);
});

/** The containers that stand on an image's tree. */
const leases = (): string[] => {
  const trees = join(daemon.imagesDir, 'trees');
  return readdirSync(trees).flatMap((tree) => readdirSync(join(trees, tree, 'leases')));
};

test.serial('of two that ask for the same name at once one gets it', async (t) => {
  const pod = await runPod(daemon);
  const metadata = { name: 'same', attempt: 0 };
  const results = await Promise.allSettled([
    pod.create('true', { metadata }),
    pod.create('true', { metadata }),
    pod.create('true', { metadata: { name: 'same', attempt: 1 } }),
  ]);
  const [made] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const [refused, ...others] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as Error] : [],
  );
  t.is(others.length, 0);
  const name = `"same_${pod.config.metadata?.name}_default_${pod.config.metadata?.uid}_0"`;
  t.is(
    refused?.message,
    `2 UNKNOWN: failed to reserve container name ${name}: name ${name} is reserved for "${made}"`,
  );
  t.is((await daemon.cri.runtime.ListContainers({ filter: { podSandboxId: pod.id } })).containers.length, 2);
});

for (const [how, words] of [
  ['StopPodSandbox', /^2 UNKNOWN: sandbox container "[0-9a-f]{64}" is not running$/],
  ['RemovePodSandbox', /^5 NOT_FOUND: an error occurred when try to find sandbox: not found$/],
] as const)
  test.serial(`${how} while a container is being created leaves none`, async (t) => {
    const pod = await runPod(daemon);
    const before = leases().length;
    const created = pod.create('true');
    created.catch(() => undefined); // awaited below
    await until('the container is being created', () => leases().length > before);
    await daemon.cri.runtime[how]({ podSandboxId: pod.id });
    await t.throwsAsync(created, { message: words });
    const { containers } = await daemon.cri.runtime.ListContainers({ filter: { podSandboxId: pod.id } });
    t.deepEqual(containers, []);
    t.is(leases().length, before);
  });

test.serial('a container that was being created when the daemon was killed holds no image', async (t) => {
  const pod = await runPod(daemon);
  const before = leases().length;
  await daemon.kill();
  await daemon.start({ PODWRIGHT_FAILPOINTS: 'runtime.create.after-lease=crash' });
  await t.throwsAsync(pod.create('true'), { message: /^14 UNAVAILABLE/ });
  await daemon.died();
  t.is(leases().length, before + 1);
  await daemon.start();
  t.is(leases().length, before);
  await Promise.all(
    (await daemon.cri.runtime.ListPodSandbox({})).items.map(({ id }) =>
      daemon.cri.runtime.RemovePodSandbox({ podSandboxId: id }),
    ),
  );
  await daemon.cri.image.RemoveImage({ image: { image: 'busybox' } });
  t.deepEqual(readdirSync(join(daemon.imagesDir, 'trees')), []);
});
