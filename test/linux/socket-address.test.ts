import test from 'ava';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketAddress } from '../../linux/socket-address.ts';

test('a short path is its own address', (t) => {
  using address = socketAddress('/run/some.sock');
  t.is(address.path, '/run/some.sock');
});

test('a path longer than an address may be is reached all the same', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xx-socket-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const directory = join(folder, 'd'.repeat(60), 'e'.repeat(60));
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'driver.sock');
  using serving = socketAddress(path);
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(serving.path, resolve));
  using calling = socketAddress(path);
  t.not(calling.path, serving.path);
  const text = await new Promise<string>((resolve, reject) => {
    connect(calling.path)
      .on('data', (data) => resolve(data.toString()))
      .on('error', reject);
  });
  t.is(text, 'hello');
  await new Promise((resolve) => server.close(resolve));
});

test('a directory that is not there is an error', (t) => {
  t.throws(() => socketAddress(`/nowhere/${'d'.repeat(110)}/x.sock`), { code: 'ENOENT' });
});
