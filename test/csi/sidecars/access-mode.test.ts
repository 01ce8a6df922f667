import test from 'ava';
import { csiAccessMode } from '../../../csi/sidecars/access-mode.ts';
import type { VolumeCapabilityAccessModeMode } from '../../../csi/types.ts';

type Mode = VolumeCapabilityAccessModeMode;

const cases: [modes: string[], plain: Mode, withMultiWriter: Mode][] = [
  [['ReadWriteOnce'], 'SINGLE_NODE_WRITER', 'SINGLE_NODE_MULTI_WRITER'],
  [['ReadWriteOncePod'], 'SINGLE_NODE_WRITER', 'SINGLE_NODE_SINGLE_WRITER'],
  [['ReadOnlyMany'], 'MULTI_NODE_READER_ONLY', 'MULTI_NODE_READER_ONLY'],
  [['ReadWriteMany'], 'MULTI_NODE_MULTI_WRITER', 'MULTI_NODE_MULTI_WRITER'],
  [['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'], 'MULTI_NODE_MULTI_WRITER', 'MULTI_NODE_MULTI_WRITER'],
];

for (const [modes, plain, withMultiWriter] of cases)
  test(`${modes.join(' and ')} is ${plain}, or ${withMultiWriter}`, (t) => {
    t.is(csiAccessMode(modes, { singleNodeMultiWriter: false }), plain);
    t.is(csiAccessMode(modes, { singleNodeMultiWriter: true }), withMultiWriter);
  });

test('some combinations have no word in CSI', (t) => {
  const mode = (...modes: string[]) => csiAccessMode(modes, { singleNodeMultiWriter: true });
  t.throws(() => mode('ReadWriteOnce', 'ReadOnlyMany'), {
    message: 'CSI does not support ReadOnlyMany and ReadWriteOnce on the same PersistentVolume',
  });
  t.throws(() => mode('ReadWriteOncePod', 'ReadWriteOnce'), {
    message:
      'Kubernetes does not support use of ReadWriteOncePod with other access modes on the same PersistentVolume',
  });
  t.throws(() => mode(), { message: 'unsupported AccessMode combination: []' });
});
