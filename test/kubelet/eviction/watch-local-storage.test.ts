import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { LocalStorageExcess } from '../../../kubelet/eviction/local-storage-excess.ts';
import type { LocalStorageUsage } from '../../../kubelet/eviction/local-storage-usage.ts';
import { watchLocalStorage } from '../../../kubelet/eviction/watch-local-storage.ts';
import type { KubeletPod } from '../../../kubelet/pod.ts';
import { createFakeClock } from '../../client/fake-clock.ts';
import { podOf } from '../pod-builder.ts';

const withVolume = (more: Parameters<typeof podOf>[0] = {}) =>
  podOf({ volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }], ...more });

const withLimit = () =>
  podOf({ containers: [{ name: 'main', resources: { limits: { 'ephemeral-storage': '1Mi' } } }] });

/** A watcher of Pods that use so many bytes, as the test says. */
function bench() {
  const clock = createFakeClock();
  const state = { usedBytes: 0, takesMs: 0, fails: false, looks: 0 };
  const excesses: LocalStorageExcess[] = [];
  const warnings: string[] = [];
  const measure = async (_pod: KubeletPod): Promise<LocalStorageUsage> => {
    state.looks += 1;
    if (state.fails) throw new Error('the runtime is away');
    const { usedBytes } = state;
    return {
      emptyDirs: new Map([['data', usedBytes]]),
      containers: [{ name: 'main', layerBytes: usedBytes, logBytes: 0 }],
      layersAreApart: false,
      podFilesBytes: 0,
    };
  };
  const watcher = watchLocalStorage({
    clock,
    log: { debug() {}, info() {}, error() {}, warn: (_fields, message) => warnings.push(message) },
    measure,
    onExcess: (_pod, excess) => excesses.push(excess),
  });
  const pass = async (durationMs: number) => {
    clock.advance(durationMs);
    clock.advance(state.takesMs);
    await turn();
  };
  return { clock, state, excesses, warnings, watcher, pass };
}

test('a Pod with a sizeLimit is looked at each second, a slow one less often, and evicted once', async (t) => {
  const { state, excesses, watcher, pass, clock } = bench();
  watcher.watch(withVolume());
  watcher.watch(withVolume());
  await pass(1000);
  t.is(state.looks, 1);
  state.takesMs = 100;
  await pass(1000);
  t.is(state.looks, 2);
  state.takesMs = 0;
  await pass(4999);
  t.is(state.looks, 2);
  state.usedBytes = 2 << 20;
  await pass(1);
  t.is(state.looks, 3);
  t.is(excesses.length, 1);
  t.is(clock.pendingTimers(), 0);
});

test('the runtime is asked each ten seconds, and again when it was away', async (t) => {
  const { state, excesses, warnings, watcher, pass } = bench();
  watcher.watch(withLimit());
  await pass(9999);
  t.is(state.looks, 0);
  state.fails = true;
  await pass(1);
  t.is(state.looks, 1);
  t.deepEqual(warnings, ['local storage not measured']);
  state.fails = false;
  state.usedBytes = 2 << 20;
  await pass(10_000);
  t.is(excesses.length, 1);
});

test('no Pod without a limit, no critical one and none that is forgotten is looked at', async (t) => {
  const { state, excesses, watcher, pass, clock } = bench();
  watcher.watch(podOf({ volumes: [{ name: 'data', emptyDir: {} }] }));
  watcher.watch(withVolume({ priority: 2_000_000_000 }));
  const fromFile = withVolume();
  fromFile.metadata.annotations = { 'kubernetes.io/config.source': 'file' };
  watcher.watch(fromFile);
  t.is(clock.pendingTimers(), 0);
  watcher.watch(withVolume({ priority: 1_999_999_999 }));
  t.is(clock.pendingTimers(), 1);
  state.usedBytes = 2 << 20;
  clock.advance(1000);
  watcher.forget('uid-1'); // while it is measured
  await pass(60_000);
  t.is(state.looks, 1);
  t.deepEqual(excesses, []);
});
