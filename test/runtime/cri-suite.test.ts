import test from 'ava';
import { criSuite } from './cri-suite.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';

let daemon: Daemon;

test.before(async () => {
  daemon = await startDaemon();
});

test.after.always('nothing is left behind', async (t) => {
  t.deepEqual(await daemon.end(), []);
});

criSuite(test.serial, () => daemon);
