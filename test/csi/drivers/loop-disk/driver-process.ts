import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import {
  LOOP_DISK,
  startCloud,
  startLoopDiskController,
  startLoopDiskNode,
} from '../../../../csi/drivers/loop-disk/index.ts';
import { setFailpoint } from '../../../../linux/failpoint.ts';

/**
 * The cloud and both sides of the driver in a process of their own, to be killed: `driver-process.ts DIRECTORY FAILPOINT…`. It dies, by
 * SIGKILL, at the first of these failpoints that it comes to, and says which on stdout just before.
 */
const [dir = '', ...deadly] = process.argv.slice(2);
for (const name of deadly) {
  setFailpoint(name, () => {
    writeSync(1, `DIES ${name}\n`);
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined); // the signal may take a moment; nothing goes on meanwhile
  });
}

const log = {
  info: () => undefined,
  warn: (fields: object, message: string) => console.error(message, fields),
};
const cloudSocket = join(dir, 'cloud.sock');
const [region, zone] = ['cn-hangzhou', 'cn-hangzhou-b'];
await startCloud({ dir: join(dir, 'pool'), socketPath: cloudSocket, log, zones: [{ name: zone, region }] });
await startLoopDiskController({
  driverName: LOOP_DISK,
  socketPath: join(dir, 'controller.sock'),
  cloudSocket,
  log,
});
await startLoopDiskNode({
  driverName: LOOP_DISK,
  socketPath: join(dir, 'node.sock'),
  cloudSocket,
  nodeName: 'node-1',
  region,
  zone,
  log,
});
flushCompileCache(); // NODE_COMPILE_CACHE: the next of many starts is quicker, though this one will not end by itself
writeSync(1, 'READY\n');
