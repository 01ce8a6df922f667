import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { giveToGroup } from '../../../kubelet/volumes/give-to-group.ts';

test('a volume of many files is given in slices, and what takes long is told', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'ee-group-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const directory = join(root, 'pods/uid-1/volumes/x/mount');
  for (let folder = 0; folder < 20; folder += 1) {
    mkdirSync(join(directory, String(folder)), { recursive: true });
    for (let file = 0; file < 100; file += 1) writeFileSync(join(directory, `${folder}/${file}`), '');
  }
  const timers: { delayMs: number; listener: () => void; cancelled: boolean }[] = [];
  const clock = {
    now: () => Date.now(),
    after(delayMs: number, listener: () => void) {
      const timer = { delayMs, listener, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
  };
  const told: string[] = [];
  const pod = {
    metadata: { uid: 'uid-1' },
    spec: { containers: [], securityContext: { fsGroup: 4711 } },
  };
  const events = { pod: (_: object, { message }: { message: string }) => void told.push(message) };
  const giving = giveToGroup({ directory, pod, clock, events });
  timers[0]?.listener();
  timers[1]?.listener();
  await giving;
  t.is(timers[0]?.delayMs, 30_000);
  t.is(timers[1]?.delayMs, 60_000);
  t.regex(
    told[0] ?? '',
    /^Setting volume ownership for uid-1\/volumes\/x\/mount is taking longer than expected/,
  );
  t.regex(told[1] ?? '', /^Setting volume ownership for uid-1\/volumes\/x\/mount, processed \d+ files\.$/);
  t.true(timers.at(-1)?.cancelled);
  for (const path of ['', '0', '19/99']) t.is(statSync(join(directory, path)).gid, 4711);
});
