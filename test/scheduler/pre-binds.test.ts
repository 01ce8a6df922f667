import test from 'ava';
import { createPreBinds } from '../../scheduler/pre-binds.ts';
import { aPod } from './fixtures.ts';

test('what was called off never leads to a binding, though its work has not noticed', async (t) => {
  const preBinds = createPreBinds();
  const [pod, other] = [aPod(), aPod()];
  const work = Promise.withResolvers<void>();
  const { signal } = new AbortController();
  const running = preBinds.run(pod, () => work.promise, signal);
  t.false(preBinds.cancel(other));
  t.true(preBinds.cancel(pod));
  t.true(preBinds.cancel(pod));
  work.resolve();
  await t.throwsAsync(running, { message: 'context canceled' });
  t.false(preBinds.cancel(pod));
  t.false(signal.aborted);
});

test('the end of the scheduler ends the work', async (t) => {
  const preBinds = createPreBinds();
  const stopping = new AbortController();
  const heeding = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  const running = preBinds.run(aPod(), heeding, stopping.signal);
  stopping.abort(new Error('the scheduler is stopped'));
  await t.throwsAsync(running, { message: 'the scheduler is stopped' });
});
