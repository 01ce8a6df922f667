import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { VolumePlugin, VolumeServices } from '../../../kubelet/volumes/plugin.ts';
import type { VolumeSpec } from '../../../kubelet/volumes/volume-spec.ts';
import { VolumeWorker } from '../../../kubelet/volumes/volume-worker.ts';
import { createFakeClock } from '../../client/fake-clock.ts';

const ofSize = (storage: string): VolumeSpec => ({
  name: 'disk',
  volume: { name: 'data' },
  persistentVolume: { spec: { capacity: { storage } } },
  readOnly: false,
  mode: 'Filesystem',
});

/** A volume that is to be set up again every minute; `steps` tells what is done with it. */
const start = ({
  resize = async () => undefined,
  setUp = async () => undefined,
}: Partial<Record<'resize' | 'setUp', () => Promise<void>>> = {}) => {
  const clock = createFakeClock();
  const steps: string[] = [];
  const plugin: VolumePlugin = {
    name: 'kubernetes.io/csi',
    canSupport: () => true,
    requiresRemount: false,
    readOnly: false,
    async setUp() {
      steps.push('set up');
      await setUp();
      return { refreshAtMs: clock.now() + 60_000 };
    },
    resize() {
      steps.push('resize');
      return resize();
    },
    tearDown: async () => undefined,
  };
  const worker = new VolumeWorker({
    place: { podUid: 'uid', volumeName: 'disk', directory: '/none/disk', metaDirectory: '/none/meta' },
    plugin,
    services: {} as VolumeServices,
    clock,
    onChange: () => undefined,
    onSetUpError: () => undefined,
    onTearDownError: () => undefined,
  });
  const want = async (storage: string) => {
    worker.want({}, ofSize(storage), { changed: false });
    await turn();
  };
  const advance = async (durationMs: number) => {
    clock.advance(durationMs);
    await turn();
  };
  return { steps, want, advance };
};

test('a volume that has grown is set up again when that is due all the same', async (t) => {
  const { steps, want, advance } = start();
  await want('1Gi');
  await advance(60_000);
  await want('2Gi');
  await advance(60_000);
  await advance(60_000);
  t.deepEqual(steps, ['set up', 'set up', 'resize', 'set up', 'set up']);
});

test('so is one that can’t grow, which is tried on', async (t) => {
  const { steps, want, advance } = start({ resize: () => Promise.reject(new Error('not now')) });
  await want('1Gi');
  await want('2Gi');
  await advance(500);
  await advance(60_000);
  t.deepEqual(steps, ['set up', 'resize', 'resize', 'resize']);
  await advance(2000);
  t.deepEqual(steps.slice(4), ['set up', 'resize']);
});

test('nor does it wait with that until it is tried to grow again', async (t) => {
  const { steps, want, advance } = start({ resize: () => Promise.reject(new Error('not now')) });
  await want('1Gi');
  await want('2Gi');
  for (const seconds of [0.5, 1, 2, 4, 8, 16]) await advance(seconds * 1000);
  t.deepEqual(steps.slice(7), ['resize']);
  await advance(28_500);
  t.deepEqual(steps.slice(8), ['set up', 'resize']);
});

test('one that grows while it is first set up is made larger right after', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { steps, want } = start({ setUp: () => promise });
  await want('1Gi');
  await want('2Gi');
  t.deepEqual(steps, ['set up']);
  resolve();
  await want('2Gi');
  t.deepEqual(steps, ['set up', 'resize']);
});
