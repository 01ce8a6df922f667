import { join } from 'node:path';
import { nowNs } from '../clock.ts';
import type { ImageFsInfoResponse, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** What the images take on their file system. Containers' writable layers are told apart, by the stats. */
export function imageFsInfo(runtime: Runtime): Sent<ImageFsInfoResponse> {
  const images = runtime.images.list();
  const timestamp = nowNs();
  const usedBytes = { value: images.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0) };
  const inodesUsed = { value: images.reduce((sum, { unpackedInodes }) => sum + unpackedInodes, 0) };
  const trees = { timestamp, fsId: { mountpoint: join(runtime.images.dir, 'trees') }, usedBytes, inodesUsed };
  return { imageFilesystems: [trees], containerFilesystems: [trees] };
}
