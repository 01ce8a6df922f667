import test from 'ava';
import { configMap, CONFIG_MAPS, startTestServer } from '../test-server.ts';

const APPLY = 'application/apply-patch+yaml';
const EVENTS = '/api/v1/namespaces/default/events';

test('whoever comes second to make an object by apply or PUT changes it', async (t) => {
  const server = await startTestServer(t);
  const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
  const applied = await Promise.all(
    keys.map((key) =>
      server.patch(`${CONFIG_MAPS}/a?fieldManager=${key}`, configMap('a', { [key]: 'x' }), APPLY),
    ),
  );
  const counts = (answers: { status: number }[]) =>
    [200, 201].map((wanted) => answers.filter(({ status }) => status === wanted).length);
  t.deepEqual(counts(applied), [11, 1]);
  const { body } = await server.get(`${CONFIG_MAPS}/a`);
  t.deepEqual(Object.keys(body.data).toSorted(), keys.toSorted());
  const event = { metadata: { name: 'e' }, involvedObject: { namespace: 'default' } };
  const put = await Promise.all(keys.map((reason) => server.put(`${EVENTS}/e`, { ...event, reason })));
  t.deepEqual(counts(put), [11, 1]);
});

test('an object that goes between the look and the write is made again', async (t) => {
  const server = await startTestServer(t);
  const turns = Array.from({ length: 30 }, (_, index) => index);
  const applied = await Promise.all(
    turns.map(async (turn) => {
      const gone = server.remove(`${CONFIG_MAPS}/a`);
      const { status } = await server.patch(
        `${CONFIG_MAPS}/a?fieldManager=one`,
        configMap('a', { turn: `${turn}` }),
        APPLY,
      );
      await gone;
      return status;
    }),
  );
  t.deepEqual(
    applied.filter((status) => status >= 300),
    [],
  );
});
