import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { startGarbageCollection } from '../../../kubelet/garbage/garbage-collection.ts';
import type { GarbageOptions } from '../../../kubelet/garbage/garbage-collection.ts';
import { defaultConfig } from '../../../kubelet/kubelet-options.ts';
import { createFakeClock } from '../../client/fake-clock.ts';

test('what is stopped while it works does not begin again', async (t) => {
  const clock = createFakeClock();
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const context = { cache: { all: () => [] }, log } as unknown as GarbageOptions['context'];
  const garbage = startGarbageCollection({ context, config: defaultConfig, clock, log });
  clock.advance(10_000);
  garbage.stop();
  await turn();
  t.is(clock.pendingTimers(), 0);
});
