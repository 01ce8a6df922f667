import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'ava';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import { temporaryFolder } from './temporary-folder.ts';

interface Acknowledged {
  worker: number;
  number: number;
  revision: number;
}

/** Lets a process write until it has acknowledged `count` writes, kills it with SIGKILL, and returns what it acknowledged. */
async function writeAndKill(dir: string, first: number, count: number): Promise<Acknowledged[]> {
  const script = join(import.meta.dirname, 'crash-writer.ts');
  const writer = spawn(process.execPath, [...process.execArgv, script, dir, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let lines = 0;
  writer.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    lines = output.split('\n').length - 1;
    if (lines >= count) writer.kill('SIGKILL');
  });
  const [, signal] = (await once(writer, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself after ${lines} writes`);
  return output
    .split('\n')
    .filter((line) => /^\d+ \d+ \d+$/.test(line))
    .map((line) => {
      const [worker = 0, number = 0, revision = 0] = line.split(' ').map(Number);
      return { worker, number, revision };
    });
}

test('nothing acknowledged is lost when the writer is killed, and revisions go on', async (t) => {
  const dir = temporaryFolder(t);
  const acknowledged: Acknowledged[] = [];
  for (let round = 0; round < 4; round++) {
    acknowledged.push(...(await writeAndKill(dir, round * 100_000, 40 + round * 37)));
    const store = openEmbeddedStore({ dir });
    const highest = Math.max(...acknowledged.map(({ revision }) => revision));
    const revision = await store.currentRevision();
    t.true(revision >= highest, `revision ${revision} after ${highest} had been acknowledged`);
    for (const write of acknowledged) {
      const found = await store.get(`/log/${write.worker}/${write.number}`);
      t.is(found?.modRevision, write.revision);
    }
    // A transaction is there as a whole or not at all.
    for (const worker of [0, 1, 2, 3]) {
      const last = await store.get(`/worker/${worker}`);
      const number = last?.value.toString().split(' ')[0] ?? '';
      t.is((await store.get(`/log/${worker}/${number}`))?.modRevision, last?.modRevision);
    }
    await store.close();
  }
  t.is(new Set(acknowledged.map(({ revision }) => revision)).size, acknowledged.length);
});
