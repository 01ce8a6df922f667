/** The image store as a library: what the CRI server and `podwright image` do with it. */
export { openImageStore } from './image-store.ts';
export type { ImageStore } from './image-store.ts';
export type { ImageConfig, ImageRecord } from './image.ts';
export { pullImage } from './pull-image.ts';
export { loadImages } from './load-image.ts';
export { buildBusybox, busyboxName } from './build-busybox.ts';
export { hostImageName } from './host-image.ts';
