import test from 'ava';
import type { CoreV1Event } from '../../api/types.ts';
import { createEventRecorder } from '../../client/event-recorder.ts';
import { createFakeClock } from './fake-clock.ts';
import { startFakeApiServer } from './fake-api-server.ts';
import { until } from '../environment.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '7' },
};

const start = async () => {
  const server = await startFakeApiServer();
  const client = server.client();
  const clock = createFakeClock();
  const recorder = createEventRecorder({ client, clock, source: { component: 'kubelet', host: 'node-1' } });
  const stored = async () =>
    (
      await client
        .resource<CoreV1Event>({ group: '', version: 'v1', resource: 'events' })
        .list({ namespace: 'shop' })
    ).items;
  const stop = async () => {
    recorder.stop();
    client.close();
    await server.stop();
  };
  return { server, clock, recorder, stored, stop };
};

test('recorders that tell of the same object at the same moment lose nothing', async (t) => {
  const { server, clock, recorder, stored, stop } = await start();
  const client = server.client();
  const other = createEventRecorder({ client, clock, source: { component: 'scheduler' } });
  recorder.event({ object: pod, type: 'Normal', reason: 'Pulled', message: 'one' });
  other.event({ object: pod, type: 'Normal', reason: 'Scheduled', message: 'two' });
  other.event({ object: pod, type: 'Normal', reason: 'Scheduled', message: 'two' });
  await Promise.all([recorder.flush(), other.flush()]);
  const told = (await stored()).map(({ reason, message, count }) => ({ reason, message, count }));
  t.deepEqual(
    told.toSorted((a, b) => (a.message ?? '').localeCompare(b.message ?? '')),
    [
      { reason: 'Pulled', message: 'one', count: 1 },
      { reason: 'Scheduled', message: 'two', count: 2 },
    ],
  );
  other.stop();
  client.close();
  await stop();
});

test('writes an event as the kubelet does', async (t) => {
  const { clock, recorder, stored, stop } = await start();
  recorder.event({
    object: pod,
    type: 'Normal',
    reason: 'Started',
    message: 'Container started',
    fieldPath: 'spec.containers{web}',
  });
  await recorder.flush();
  const [event] = await stored();
  const [object, hex] = event?.metadata.name?.split('.') ?? [];
  t.is(object, 'web');
  t.is(BigInt(`0x${hex}`) / 1_000_000n, BigInt(clock.now()));
  t.like(event, {
    metadata: { namespace: 'shop' },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      name: 'web',
      namespace: 'shop',
      uid: 'u1',
      resourceVersion: '7',
      fieldPath: 'spec.containers{web}',
    },
    reason: 'Started',
    message: 'Container started',
    source: { component: 'kubelet', host: 'node-1' },
    type: 'Normal',
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    reportingComponent: 'kubelet',
    reportingInstance: 'node-1',
  });
  await stop();
});

test('the same again counts up the first one', async (t) => {
  const { clock, recorder, stored, stop } = await start();
  for (let i = 0; i < 3; i += 1) {
    recorder.event({ object: pod, type: 'Warning', reason: 'BackOff', message: 'Back-off' });
    clock.advance(10_000);
  }
  await recorder.flush();
  const events = await stored();
  t.is(events.length, 1);
  t.like(events[0], {
    count: 3,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:20Z',
  });
  await stop();
});

test('ten different messages of one reason become one combined event', async (t) => {
  const { recorder, stored, stop } = await start();
  for (let i = 1; i <= 12; i += 1) {
    recorder.event({ object: pod, type: 'Warning', reason: 'Failed', message: `message ${i}` });
  }
  await recorder.flush();
  const events = await stored();
  t.is(events.length, 10);
  t.like(events.at(-1), { count: 3, message: '(combined from similar events): message 12' });
  await stop();
});

test('one source may tell 25 events of an object, then one each five minutes', async (t) => {
  const { server, clock, recorder, stop } = await start();
  const tell = (reason: string) => recorder.event({ object: pod, type: 'Normal', reason, message: 'x' });
  for (let i = 0; i < 40; i += 1) tell(`Reason${i}`);
  await recorder.flush();
  t.is(server.requests.length, 25);
  clock.advance(300_000);
  tell('Later');
  tell('Later2');
  await recorder.flush();
  t.is(server.requests.length, 26);
  await stop();
});

test('an event whose first one is gone begins anew', async (t) => {
  const { server, recorder, stored, stop } = await start();
  const tell = () => recorder.event({ object: pod, type: 'Normal', reason: 'Pulled', message: 'x' });
  tell();
  await recorder.flush();
  const name = (await stored())[0]?.metadata.name ?? '';
  server.remove(`/api/v1/namespaces/shop/events/${name}`);
  tell();
  await recorder.flush();
  t.is((await stored())[0]?.count, 2);
  await stop();
});

test('a server that is away for a while loses no event, a refusal drops it', async (t) => {
  const { server, clock, recorder, stored, stop } = await start();
  await server.pause();
  recorder.event({ object: pod, type: 'Normal', reason: 'Killing', message: 'x' });
  await until('the try has failed', () => clock.pendingTimers() === 1);
  await server.resume();
  clock.advance(10_000);
  await recorder.flush();
  t.is((await stored()).length, 1);
  server.setIntercept(() => ({ status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden' } }));
  recorder.event({ object: pod, type: 'Normal', reason: 'Other', message: 'x' });
  await recorder.flush();
  server.setIntercept(undefined);
  t.is((await stored()).length, 1);
  await stop();
});
