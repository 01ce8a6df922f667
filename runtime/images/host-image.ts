import { createHash } from 'node:crypto';
import type { ImageRecord } from './image.ts';

/** The name of the image whose tree is the host's own root, so that any program of the host can be a container. */
export const hostImageName = 'podwright.local/host:latest';

/** The host image's record; it is always there and cannot be removed. It has no bytes of its own. */
export const hostImage: ImageRecord = {
  id: `sha256:${createHash('sha256').update(hostImageName).digest('hex')}`,
  tags: [hostImageName],
  digests: [],
  sizeBytes: 0,
  unpackedBytes: 0,
  unpackedInodes: 0,
  config: {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['/bin/sh'],
  },
  pinned: true,
  local: true,
};
