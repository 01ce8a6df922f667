import test from 'ava';
import pino from 'pino';
import { measureEach } from '../../../runtime/stats/measure-each.ts';

test('one that cannot be measured is logged, and the others are measured', async (t) => {
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const items = ['one', 'two', 'three'].map((id) => ({ id }));
  const sizes = await measureEach({ log }, items, async ({ id }) => {
    await Promise.resolve();
    if (id === 'two') throw new Error('no such luck');
    return id.length;
  });
  t.deepEqual(sizes, [3, 5]);
  t.is(logged.length, 1);
  t.like(JSON.parse(logged[0] ?? ''), { id: 'two', error: 'no such luck', msg: 'stats not measured' });
});
