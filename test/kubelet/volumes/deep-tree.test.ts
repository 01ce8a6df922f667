import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { diskUsageOf } from '../../../linux/disk-usage.ts';
import { removeTree } from '../../../kubelet/volumes/remove-tree.ts';

// Each folder is made from within the last, as a container would: the whole path is some 12,000 bytes.
const nest = `
name=$(printf %0200d 0)
cd "$1"
for i in $(seq 60); do mkdir $name && cd -P $name; done
dd if=/dev/zero of=big bs=1k count=512 2>/dev/null
`;

test('folders nested deeper than any path are counted and removed', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'vv-deep-'));
  const volume = join(root, 'volume');
  mkdirSync(volume);
  execFileSync('bash', ['-c', nest, 'bash', volume]);
  const { usedBytes, inodes } = await diskUsageOf(volume);
  t.is(inodes, 62);
  t.true(usedBytes >= 512 * 1024);
  await removeTree(root);
  t.false(existsSync(root));
});
