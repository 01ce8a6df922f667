import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { WebSocket } from 'ws';
import { openChannels } from '../../../../runtime/streaming/websocket/channels.ts';

/** A connection that keeps what is sent. */
function fakeWebSocket() {
  const sent: string[] = [];
  const connection = Object.assign(new EventEmitter(), {
    send(message: Buffer, _options: object, done: () => void) {
      sent.push(`${message[0]}:${message.subarray(1).toString()}`);
      done();
    },
    pause: () => undefined,
    resume: () => undefined,
  });
  return { sent, connection: connection as unknown as WebSocket };
}

const protocol = { name: 'v5.channel.k8s.io', base64: false, closeSignals: true } as const;

test('nothing is sent before the client is ready, then all of it in order', async (t) => {
  const { sent, connection } = fakeWebSocket();
  const ready = Promise.withResolvers<void>();
  const [, stdout, stderr] = openChannels(connection, {
    protocol,
    readable: [false, false, false],
    clientIsReady: ready.promise,
  });
  stdout?.write('one ');
  stderr?.write('two ');
  stdout?.end('three');
  await turn();
  t.deepEqual(sent, []);
  t.false(stdout?.writableFinished);
  ready.resolve();
  if (stdout !== undefined) await once(stdout, 'finish');
  t.deepEqual(sent, ['1:one ', '2:two ', '1:three']);
});

test('a client that sends before it is ready is heard', async (t) => {
  const { connection } = fakeWebSocket();
  const [stdin] = openChannels(connection, {
    protocol,
    readable: [true],
    clientIsReady: Promise.withResolvers<void>().promise,
  });
  connection.emit('message', Buffer.from('\0typed'));
  t.is(String(stdin?.read()), 'typed');
});
