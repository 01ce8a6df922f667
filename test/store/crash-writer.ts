/**
 * A process that writes until it is killed, and prints each write as soon as it is acknowledged:
 * `<worker> <number> <revision>`. Arguments: folder, first number.
 */
import { writeSync } from 'node:fs';
import { openEmbeddedStore } from '../../store/embedded/open.ts';

const [, , dir = '', first = '0'] = process.argv;
const store = openEmbeddedStore({ dir });
const filler = 'x'.repeat(2000);

async function work(worker: number): Promise<void> {
  for (let number = Number(first); ; number++) {
    const value = Buffer.from(`${number} ${filler}`);
    const { revision } = await store.txn({
      success: [
        { type: 'put', key: `/worker/${worker}`, value },
        { type: 'put', key: `/log/${worker}/${number}`, value },
      ],
    });
    writeSync(1, `${worker} ${number} ${revision}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(work));
