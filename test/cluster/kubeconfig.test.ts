import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { writeKubeconfig } from '../../cluster/kubeconfig.ts';

const options = {
  cluster: 'kc',
  server: 'https://127.0.0.1:6443',
  caCert: 'ca',
  user: 'admin',
  credentials: { cert: 'cert', key: 'key' },
};

test.serial('a kubeconfig is its owner’s alone: root, or the user who became root by sudo', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kc-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
    delete process.env['SUDO_UID'];
    delete process.env['SUDO_GID'];
  });
  const path = join(folder, 'kubeconfig');
  const ownerAndMode = () => {
    const { uid, gid, mode } = statSync(path);
    return [uid, gid, mode & 0o777];
  };
  delete process.env['SUDO_UID'];
  delete process.env['SUDO_GID'];
  await writeKubeconfig(path, options);
  t.deepEqual(ownerAndMode(), [0, 0, 0o600]);
  Object.assign(process.env, { SUDO_UID: '4711', SUDO_GID: '4712' });
  await writeKubeconfig(path, options);
  t.deepEqual(ownerAndMode(), [4711, 4712, 0o600]);
});
