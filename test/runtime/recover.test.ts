import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import pino from 'pino';
import type { ContainerRecord } from '../../runtime/containers/record.ts';
import { openRecordStore } from '../../runtime/record-store.ts';
import { recover } from '../../runtime/recover.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { scratch } from '../linux/scratch.ts';

test('a failed start that cannot be killed has failed all the same, and keeps no other from being taken up', async (t) => {
  const dir = scratch(t);
  const containers = openRecordStore<ContainerRecord>({
    dir: join(dir, 'durable'),
    volatileDir: join(dir, 'volatile'),
    version: 1,
  });
  for (const id of ['stuck', 'other']) {
    mkdirSync(containers.volatileDirectoryOf(id));
    writeFileSync(join(containers.volatileDirectoryOf(id), 'plan'), '');
    await containers.create({ id, cgroupPath: `/${id}`, start: null, exit: null } as ContainerRecord);
  }
  const killed: string[] = [];
  await recover({
    containers,
    sandboxes: { list: () => [] },
    network: { attached: () => [] },
    cgroups: {
      killAll(path: string) {
        killed.push(path);
        return path === '/stuck' ? Promise.reject(new Error('still there')) : Promise.resolve();
      },
    },
    log: pino({ level: 'silent' }),
  } as unknown as Runtime);
  t.deepEqual(killed.toSorted(), ['/other', '/stuck']);
  for (const id of ['stuck', 'other'])
    t.like(containers.find(id)?.exit, { exitCode: 128, reason: 'StartError' });
});
