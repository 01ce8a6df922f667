import test from 'ava';
import { createImageCollection } from '../../../kubelet/garbage/image-collection.ts';
import type { ImageCollectionOptions } from '../../../kubelet/garbage/image-collection.ts';
import { createFakeClock } from '../../client/fake-clock.ts';

/** A node whose disk, which holds this file at least, is too full by any measure, so that everything goes that may. */
function bench() {
  const clock = createFakeClock();
  const images = new Map<string, { size: number; pinned?: boolean }>();
  const running = new Set<string>();
  const mounts = [{ image: { image: 'mounted' } }, { image: null }];
  const removed: string[] = [];
  const answers: Record<string, (request: { image: { image: string } }) => object> = {
    ListImages: () => ({
      images: [...images].map(([id, image]) => ({
        id,
        repoTags: [],
        repoDigests: [],
        pinned: false,
        ...image,
      })),
    }),
    ImageFsInfo: () => ({ imageFilesystems: [{ fsId: { mountpoint: import.meta.dirname } }] }),
    RemoveImage: ({ image }) => {
      removed.push(image.image);
      images.delete(image.image);
      return {};
    },
  };
  const context = {
    cri: { call: async (method: string, request: never) => answers[method]?.(request) },
    cache: {
      all: () => [{ containers: [...running].map((image) => ({ image, imageRef: image, mounts })) }],
    },
    events: { node: () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  } as unknown as ImageCollectionOptions['context'];
  const collect = createImageCollection({ context, clock, highPercent: 0, lowPercent: 0 });
  return { clock, images, running, removed, collect };
}

test('what was unused for the longest time goes first, and nothing that was pulled a moment ago', async (t) => {
  const { clock, images, running, removed, collect } = bench();
  for (const id of ['once', 'lately', 'now']) images.set(id, { size: 1 });
  images.set('never', { size: 0 });
  images.set('pinned', { size: 1, pinned: true });
  images.set('mounted', { size: 1 });
  running.add('once').add('lately').add('now');
  await collect();
  t.deepEqual(removed, []);
  running.delete('once');
  clock.advance(60_000);
  await collect();
  t.deepEqual(removed, []);
  running.delete('lately');
  images.set('pulled', { size: 1 });
  clock.advance(60_000);
  await collect();
  t.deepEqual(removed, ['never', 'once', 'lately']);
});
