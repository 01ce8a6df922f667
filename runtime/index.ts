export { startRuntime } from './start-runtime.ts';
export type { RuntimeOptions } from './start-runtime.ts';
export { connectCri } from './cri/client.ts';
