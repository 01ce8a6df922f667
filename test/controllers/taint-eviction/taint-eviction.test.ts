import test from 'ava';
import type { Toleration } from '../../../api/types.ts';
import { toleratedMs } from '../../../controllers/taint-eviction/taint-eviction.ts';

const down = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
const slow = { key: 'example.com/slow', effect: 'NoExecute' };
const forever: Toleration = { operator: 'Exists' };
const lasting = (tolerationSeconds: number, key = down.key): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds,
});

const allowed = (tolerations: Toleration[], taints = [down]) =>
  toleratedMs({ spec: { containers: [], tolerations } }, taints);

test('a taint that is not tolerated allows no time, no taint and one tolerated for good all of it', (t) => {
  t.is(allowed([]), 0);
  t.is(allowed([lasting(10)], [down, slow]), 0);
  t.is(allowed([], []), Infinity);
  t.is(allowed([forever]), Infinity);
});

test('of several taints the shortest time counts, and a negative one is none', (t) => {
  t.is(allowed([lasting(300), lasting(20, slow.key)], [down, slow]), 20_000);
  t.is(allowed([lasting(-1)]), 0);
});

test('of several tolerations of one taint the first is in use', (t) => {
  t.is(allowed([lasting(300), lasting(20)]), 300_000);
  // What admission appends doesn't shorten a stay that the user has allowed for good.
  t.is(allowed([forever, lasting(300)]), Infinity);
  t.is(allowed([lasting(300), forever]), 300_000);
});
