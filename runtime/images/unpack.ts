import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../linux/command.ts';
import { diskUsageOf } from '../../linux/disk-usage.ts';
import { checkLayer } from './check-layer.ts';
import type { ImageConfig, ImageRecord } from './image.ts';
import type { ImageStore } from './image-store.ts';

interface Descriptor {
  digest: string;
  size: number;
}
interface Manifest {
  config: Descriptor;
  layers: Descriptor[];
}

export interface AdoptedLayout {
  store: ImageStore;
  /** An OCI image layout that holds one image, named `image`. */
  layout: string;
  tags: string[];
  digests: string[];
}

/**
 * Makes an image of the store from an OCI layout: its layers are checked, unpacked by umoci into one tree, and forgotten.
 * An image whose tree is there already only gets the new names. Throws INVALID_ARGUMENT for a layer that tries to leave the tree.
 */
export async function adoptLayout({ store, layout, tags, digests }: AdoptedLayout): Promise<ImageRecord> {
  const manifest = readManifest(layout);
  const id = manifest.config.digest;
  const names = { tags, digests, local: digests.length === 0 };
  const known = store.list().find((image) => image.id === id);
  const named = known && { ...known, ...names };
  if (named !== undefined && (await store.addNames(named))) return named;
  await using tree = await store.incoming();
  for (const { digest } of manifest.layers) await checkLayer(blobPath(layout, digest));
  const rootfs = join(tree.path, 'rootfs');
  await unpackLayers(layout, rootfs);
  const { config = {} } = readBlob<{ config?: ImageConfig | null }>(layout, id) as { config?: ImageConfig };
  const usage = await diskUsageOf(rootfs);
  const image: ImageRecord = {
    id,
    ...names,
    sizeBytes: [manifest.config, ...manifest.layers].reduce((sum, { size }) => sum + size, 0),
    unpackedBytes: usage.usedBytes,
    unpackedInodes: usage.inodes,
    config: config ?? {},
    pinned: false,
  };
  await store.publish(image, tree.path);
  return image;
}

function readManifest(layout: string): Manifest {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
    manifests: Descriptor[];
  };
  const [first] = manifests;
  if (first === undefined) throw new Error(`${layout}: no image in the layout`);
  return readBlob<Manifest>(layout, first.digest);
}

const blobPath = (layout: string, digest: string): string =>
  join(layout, 'blobs', ...digest.split(':').map((part) => part.replaceAll('/', '_')));

const readBlob = <Blob>(layout: string, digest: string): Blob =>
  JSON.parse(readFileSync(blobPath(layout, digest), 'utf8')) as Blob;

// The tree must be on disk before the index says that it is there: one sync of the file system, not one per file.
async function unpackLayers(layout: string, rootfs: string): Promise<void> {
  await run('umoci', ['raw', 'unpack', '--image', `${layout}:image`, rootfs]);
  mkdirSync(rootfs, { recursive: true });
  await run('sync', ['--file-system', rootfs]);
}
