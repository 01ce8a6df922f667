import test from 'ava';
import type { Node } from '../../../../api/types.ts';
import { systemClock } from '../../../../client/clock.ts';
import { createDeviceManager } from '../../../../kubelet/volumes/devices/device-manager.ts';

const nodeOf = (version: number, volumes: { inUse?: string[]; attached?: string[] }): Node => ({
  metadata: { name: 'node-1', resourceVersion: String(version) },
  status: {
    volumesInUse: volumes.inUse ?? [],
    volumesAttached: (volumes.attached ?? []).map((name) => ({ name, devicePath: '' })),
  },
});

const start = (first: Node) => {
  let seen = first;
  let tell = () => {};
  const manager = createDeviceManager({
    clock: systemClock,
    ownNode: {
      node: () => seen,
      onChange(listener) {
        tell = listener;
        return () => undefined;
      },
    },
    onUnstageError: () => undefined,
  });
  const device = manager.device({
    uniqueName: 'x',
    isAttachable: () => true,
    unstage: () => Promise.resolve(),
  });
  manager.podsAreKnown();
  const see = (node: Node) => {
    seen = node;
    tell();
  };
  return { manager, device, see };
};

test('a volume counts as attached by a Node that is no older than the word that it is in use', async (t) => {
  // The watch hasn't told yet that the controller is about to detach it.
  const { manager, device, see } = start(nodeOf(10, { attached: ['x'] }));
  device.hold('pod');
  t.false(manager.isAttached(device));
  t.deepEqual(manager.volumesInUse([]), ['x']);
  manager.reportedInUse(nodeOf(12, { inUse: ['x'] }));
  t.false(manager.isAttached(device));
  see(nodeOf(11, {}));
  t.false(manager.isAttached(device));
  const waiting = manager.waitForAttach(device, new AbortController().signal);
  see(nodeOf(13, { inUse: ['x'], attached: ['x'] }));
  await waiting;
  t.true(manager.isAttached(device));
  manager.close();
});

test('the answer of the write itself may say that it is attached', (t) => {
  const { manager, device } = start(nodeOf(10, {}));
  device.hold('pod');
  manager.reportedInUse(nodeOf(12, { inUse: ['x'], attached: ['x'] }));
  t.true(manager.isAttached(device));
  manager.close();
});

test('a volume is not in use any more as soon as that is on its way', (t) => {
  const node = nodeOf(12, { inUse: ['x'], attached: ['x'] });
  const { manager, device } = start(node);
  device.hold('pod');
  manager.reportedInUse(node);
  device.release('pod');
  t.deepEqual(manager.volumesInUse(['x']), []);
  // The answer isn't here yet, and a new Pod wants the volume.
  const again = manager.device({
    uniqueName: 'x',
    isAttachable: () => true,
    unstage: () => Promise.resolve(),
  });
  again.hold('new pod');
  t.false(manager.isAttached(again));
  manager.reportedInUse(nodeOf(13, { attached: ['x'] }));
  t.false(manager.isAttached(again));
  t.deepEqual(manager.volumesInUse([]), ['x']);
  manager.reportedInUse(nodeOf(14, { inUse: ['x'], attached: ['x'] }));
  t.true(manager.isAttached(again));
  manager.close();
});
