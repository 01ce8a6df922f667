import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { diskUsageOf } from '../../../linux/disk-usage.ts';
import { emptyDirectory, removeTree } from '../../../kubelet/volumes/remove-tree.ts';

// Some folders are made from within the last of those before, as a container would: the whole path is longer than any may be.
const nest = `
cd "$1"
for i in 1 2 3 4; do mkdir -p "$2" && cd -P "$2"; done
dd if=/dev/zero of=big bs=1k count=512 2>/dev/null
`;

for (const [what, name, count] of [
  ['', '0'.repeat(200), 15],
  [' with names of few letters and more bytes', '深', 350],
] as const)
  test(`folders${what} nested deeper than any path are counted and removed`, async (t) => {
    const { root, volume } = makeVolume();
    execFileSync('bash', ['-c', nest, 'bash', volume, Array(count).fill(name).join('/')]);
    const { usedBytes, inodes } = await diskUsageOf(volume);
    t.is(inodes, 4 * count + 2);
    t.true(usedBytes >= 512 * 1024);
    await removeTree(root);
    t.false(existsSync(root));
  });

test('names that are not UTF-8 are counted and removed with what they hold', async (t) => {
  const { root, volume } = makeVolume();
  const folder = Buffer.concat([Buffer.from(`${volume}/`), Buffer.from([0xff])]);
  mkdirSync(folder);
  writeFileSync(Buffer.concat([folder, Buffer.from('/'), Buffer.from([0xfe])]), Buffer.alloc(512 * 1024));
  const { usedBytes, inodes } = await diskUsageOf(volume);
  t.is(inodes, 3);
  t.true(usedBytes >= 512 * 1024);
  await emptyDirectory(volume);
  t.deepEqual(readdirSync(volume), []);
  mkdirSync(folder);
  await removeTree(root);
  t.false(existsSync(root));
});

function makeVolume(): { root: string; volume: string } {
  const root = mkdtempSync(join(tmpdir(), 'vv-deep-'));
  const volume = join(root, 'volume');
  mkdirSync(volume);
  return { root, volume };
}
