import test from 'ava';
import { disruptionTarget } from '../../api/disruption-target.ts';
import type { Pod, PodCondition } from '../../api/types.ts';

const first = { reason: 'PreemptionByScheduler', message: 'one', now: '2026-01-01T00:00:00Z' };
const later = { ...first, now: '2026-01-01T00:01:00Z' };
const pod = (conditions: PodCondition[] = [], generation = 3): Pod => ({
  metadata: { name: 'web', generation },
  status: { conditions },
});
const condition: PodCondition = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'PreemptionByScheduler',
  message: 'one',
  lastTransitionTime: first.now,
  observedGeneration: 3,
};

test('the condition carries the generation that it was decided on', (t) => {
  t.deepEqual(disruptionTarget(pod(), first), condition);
  t.is(disruptionTarget({ metadata: { name: 'web' } }, first)?.observedGeneration, undefined);
});

test('one that is there already is not written again', (t) => {
  t.is(disruptionTarget(pod([condition]), later), undefined);
});

test('the time is that of the change to True, whatever else changes', (t) => {
  t.deepEqual(disruptionTarget(pod([condition]), { ...later, reason: 'DeletionByPodGC' }), {
    ...condition,
    reason: 'DeletionByPodGC',
  });
  t.deepEqual(disruptionTarget(pod([condition], 4), later), { ...condition, observedGeneration: 4 });
  t.is(disruptionTarget(pod([{ ...condition, status: 'False' }]), later)?.lastTransitionTime, later.now);
});
