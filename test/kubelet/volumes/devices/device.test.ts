import test from 'ava';
import fc from 'fast-check';
import { Device } from '../../../../kubelet/volumes/devices/device.ts';

const clock = {
  now: () => Date.now(),
  after(_delayMs: number, listener: () => void) {
    const timer = setImmediate(listener);
    return () => clearImmediate(timer);
  },
};

const finalError = new Error('final');
const uncertainError = new Error('uncertain');

/** How the next call to a driver ends; an uncertain end may or may not have done the work. */
type Ending = 'ok' | 'final' | 'uncertain, done' | 'uncertain, not done';

/** A driver that checks what is asked of it: the order of calls, and nothing taken away that somebody uses. */
const makeWorld = (endings: Ending[]) => {
  const world = { staged: false, users: new Set<string>(), violations: [] as string[], unstaged: 0 };
  const end = (work: () => void): void => {
    const ending = endings.shift() ?? 'ok';
    if (ending === 'final') throw finalError;
    if (ending !== 'uncertain, not done') work();
    if (ending !== 'ok') throw uncertainError;
  };
  const device = new Device(
    {
      uniqueName: 'x',
      isAttachable: () => true,
      async unstage() {
        await Promise.resolve();
        if (world.users.size > 0) world.violations.push('unstaged while in use');
        end(() => {
          world.staged = false;
        });
        world.unstaged += 1;
      },
    },
    { clock, onChange: () => undefined, onUnstageError: () => undefined },
  );
  const mount = (pod: string) =>
    device.inTurn(async () => {
      await device.stage(
        async (begin) => {
          begin();
          await Promise.resolve();
          end(() => {
            world.staged = true;
          });
        },
        (error) => error === finalError,
      );
      if (!world.staged) world.violations.push('published without a stage');
      world.users.add(pod);
      device.markPublished(pod);
    });
  return { world, device, mount };
};

const pods = ['a', 'b', 'c'];
const step = fc.record({ pod: fc.constantFrom(...pods), up: fc.boolean(), waits: fc.boolean() });
const ending = fc.constantFrom<Ending>('ok', 'ok', 'final', 'uncertain, done', 'uncertain, not done');

test('whatever Pods and drivers do, it is staged while it is used and unstaged in the end', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(ending, { maxLength: 20 }),
      async (steps, endings) => {
        const { world, device, mount } = makeWorld(endings);
        const wanted = new Set<string>();
        for (const { pod, up, waits } of steps) {
          if (up && !wanted.has(pod)) {
            wanted.add(pod);
            device.hold(pod);
            // A mount that fails is tried again until the Pod goes or it succeeds.
            const tried = (async () => {
              while (wanted.has(pod) && !world.users.has(pod)) await mount(pod).catch(() => undefined);
            })();
            if (waits) await tried;
          } else if (!up && wanted.delete(pod)) {
            const gone = device.inTurn(async () => {
              world.users.delete(pod);
            });
            await gone;
            device.release(pod);
          }
        }
        for (const pod of wanted) {
          wanted.delete(pod);
          await device.inTurn(async () => {
            world.users.delete(pod);
          });
          device.release(pod);
        }
        for (let turns = 0; device.isInUse && turns < 1000; turns += 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        t.deepEqual(world.violations, []);
        t.false(device.isInUse);
        t.false(world.staged);
        device.close();
      },
    ),
    { numRuns: 200 },
  );
});

test('a Pod that waits for another is told when that has let go', (t) => {
  const { device } = makeWorld([]);
  device.hold('a');
  device.markPublished('a');
  let told = 0;
  device.whenReleased(() => (told += 1));
  t.true(device.isPublishedElsewhere('b'));
  device.release('a');
  t.false(device.isPublishedElsewhere('b'));
  device.hold('c');
  device.release('c');
  t.is(told, 1);
});
