import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { connectRegistration } from '../../../csi/connect.ts';
import { startRegistrar } from '../../../csi/sidecars/registrar/start-registrar.ts';

test('the kubelet finds the driver by its registration socket, and tells how it went', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cc-registrar-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const registrationDir = join(folder, 'plugins_registry');
  const told: string[] = [];
  const registrar = await startRegistrar({
    registrationDir,
    driverName: 'd.example.com',
    driverSocket: '/plugins/d/csi.sock',
    onStatus: (error) => told.push(error),
  });
  const socketPath = join(registrationDir, 'd.example.com-reg.sock');
  const kubelet = connectRegistration({ socketPath });
  t.deepEqual(await kubelet.getInfo({}), {
    type: 'CSIPlugin',
    name: 'd.example.com',
    endpoint: '/plugins/d/csi.sock',
    supportedVersions: ['1.0.0'],
  });
  await kubelet.notifyRegistrationStatus({ pluginRegistered: false, error: 'node not found' });
  await kubelet.notifyRegistrationStatus({ pluginRegistered: true });
  t.deepEqual(told, ['node not found', '']);
  kubelet.close();
  await registrar.stop();
  t.false(existsSync(socketPath));
});
