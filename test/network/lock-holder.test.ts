import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { lockHolder } from '../../network/lock-holder.ts';

test('the holder of a lock is named by its pid and command', async (t) => {
  const address = `\0lh-${process.pid}`;
  t.is(lockHolder(address), 'a process that is not to be seen from here');
  const server = createServer().listen(address);
  await once(server, 'listening');
  t.regex(lockHolder(address), new RegExp(`^pid ${process.pid} \\(.*node`));
  server.close();
});
