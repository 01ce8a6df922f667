import test from 'ava';
import { statusPatch } from '../../../kubelet/status/status-patch.ts';

test('nothing differs, nothing is written', (t) => {
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  t.is(statusPatch(status, structuredClone(status)), undefined);
});

test('a condition that passes is taken away, others stay', (t) => {
  const ready = { type: 'Ready', status: 'True' };
  const current = { conditions: [ready, { type: 'PodResizePending', status: 'True' }] };
  t.deepEqual(statusPatch(current, { conditions: [ready] }), {
    conditions: [{ $patch: 'delete', type: 'PodResizePending' }],
  });
  t.is(statusPatch({ conditions: [ready] }, {}), undefined);
});

test('only what differs is written, and conditions of others never', (t) => {
  const current = {
    phase: 'Pending',
    reason: 'Old',
    podIPs: [{ ip: '10.0.0.1' }],
    conditions: [
      { type: 'Ready', status: 'False', reason: 'ContainersNotReady' },
      { type: 'example.com/gate', status: 'False' },
    ],
  };
  const wanted = {
    phase: 'Running',
    podIPs: [{ ip: '10.0.0.2' }],
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'example.com/gate', status: 'True' },
    ],
  };
  t.deepEqual(statusPatch(current, wanted), {
    phase: 'Running',
    reason: null,
    podIPs: [{ ip: '10.0.0.2' }, { $patch: 'replace' }],
    conditions: [{ type: 'Ready', status: 'True', reason: null }],
  });
});
