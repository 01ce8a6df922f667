import test from 'ava';
import type { Pod, PodStatus } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
import type { Client } from '../../client/rest.ts';
import type { Plugin } from '../../scheduler/framework/plugin.ts';
import { createPreBinds } from '../../scheduler/pre-binds.ts';
import { createSchedulingQueue } from '../../scheduler/queue.ts';
import { scheduleOne } from '../../scheduler/scheduler.ts';
import { aCluster, aNode, aPod } from './fixtures.ts';

/** One try, with a plugin that goes before the others; the informer sees nothing of what is written. */
const tryOnce = async (
  pod: Pod,
  {
    plugin,
    answer = (status: PodStatus) => Promise.resolve({ ...pod, status }),
  }: {
    plugin: Omit<Plugin, 'name'>;
    answer?: (status: PodStatus) => Promise<Pod>;
  },
) => {
  const { handle, cache, plugins: others } = aCluster({ nodes: [aNode()], objects: { pods: [pod] } });
  const written: Record<string, unknown>[] = [];
  const errors: unknown[] = [];
  const patch = ({ patch: { status } }: { patch: { status: PodStatus } }) => {
    written.push({ ...status });
    return answer(status);
  };
  const onError = (error: unknown) => void errors.push(error);
  handle.client = { resource: () => ({ patch }) } as unknown as Client;
  const plugins = [{ name: 'Test', ...plugin }, ...others];
  const queue = createSchedulingQueue({ plugins: () => plugins, onReady: () => undefined });
  queue.add(pod);
  const queued = queue.pop();
  if (queued === undefined) throw new Error('not queued');
  const { signal } = new AbortController();
  const preBinds = createPreBinds();
  await scheduleOne(queued, { handle, cache, queue, preBinds, plugins, clock: systemClock, signal, onError });
  queue.stop();
  return { written, errors };
};

const bind = () => Promise.resolve(true);
const nomination = { nominatedNodeName: 'node-1' };

test('a pod with work before its binding is nominated first', async (t) => {
  const { written } = await tryOnce(aPod(), { plugin: { preBindPreFlight: () => true, bind } });
  t.deepEqual(written, [nomination]);
});

test('one without, or nominated there already, is not', async (t) => {
  t.deepEqual((await tryOnce(aPod(), { plugin: { bind } })).written, []);
  const nominated = { ...aPod(), status: nomination };
  t.deepEqual((await tryOnce(nominated, { plugin: { preBindPreFlight: () => true, bind } })).written, []);
});

test('a nomination that fails is no reason not to bind', async (t) => {
  let bound = 0;
  const { errors } = await tryOnce(aPod(), {
    plugin: { preBindPreFlight: () => true, bind: () => Promise.resolve((bound += 1) > 0) },
    answer: () => Promise.reject(new Error('the server is away')),
  });
  t.is(bound, 1);
  t.like(errors, [{ message: 'the server is away' }]);
});

test('a failure takes back the nomination that the informer has not seen yet', async (t) => {
  const { written } = await tryOnce(aPod(), {
    plugin: { preBindPreFlight: () => true, preBind: () => Promise.reject(new Error('no volume')) },
  });
  t.is(written.length, 2);
  t.deepEqual(written[0], nomination);
  t.is(written[1]?.['nominatedNodeName'], null);
  t.like(written[1]?.['conditions'], [{ message: 'running PreBind plugin "Test": no volume' }]);
});
