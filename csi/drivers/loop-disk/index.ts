/** The loop-disk driver: what a cluster starts of it. */
export { detachAllLoops } from './cloud/detach-all-loops.ts';
export { startCloud } from './cloud/start-cloud.ts';
export type { StartCloudOptions } from './cloud/start-cloud.ts';
export { connectCloud } from './cloud/client.ts';
export type { CloudClient } from './cloud/client.ts';
export { startLoopDiskController } from './start-controller.ts';
export type { StartControllerOptions } from './start-controller.ts';
export { startLoopDiskNode } from './start-node.ts';
export type { StartNodeOptions } from './start-node.ts';
export { LOOP_DISK } from './vendor.ts';
