import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { dir } from 'tmp-promise';
import { readVolumeFile } from '../../../kubelet/volumes/read-volume-file.ts';

const readFrom = (hostPath: string, path: string): Promise<string> => {
  const volume = { name: 'work', emptyDir: {} };
  const spec = { name: 'work', volume, readOnly: false, mode: 'Filesystem' as const };
  const mounted = { name: 'work', hostPath, readOnly: false, volume, spec, isDevice: false };
  return readVolumeFile({ volume: mounted, volumeName: 'work', path });
};

test('only what is a file is read, and only in the volume', async (t) => {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'vv-' });
  t.teardown(cleanup);
  writeFileSync(join(path, 'file'), "A='b'\n");
  symlinkSync('/file', join(path, 'link'));
  t.is(await readFrom(path, 'link'), "A='b'\n");
  execFileSync('mkfifo', [join(path, 'pipe')]);
  await t.throwsAsync(readFrom(path, 'pipe'), { message: 'pipe is not a regular file' });
  await t.throwsAsync(readFrom('/dev', 'zero'), { message: 'zero is not a regular file' });
});
