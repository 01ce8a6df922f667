import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import type { Client } from '../../../client/rest.ts';
import { persistentVolumeController } from '../../../controllers/persistent-volume/persistent-volume.ts';
import { until } from '../../environment.ts';
import { runTestControllers, startControllerRig } from '../controller-rig.ts';
import { storageClient } from './fixtures.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

test.before(async (t) => {
  t.context = await startControllerRig([]);
});
test.after.always((t) => t.context.stop());

/** A client that dies: after so many writes, none gets through any more. */
const dyingClient = (client: Client, writesLeft: number) => {
  let left = writesLeft;
  const write = async <T>(operation: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left < 0) throw new Error('the controller is dead');
    return operation();
  };
  const resource = <T extends ApiObject>(id: ResourceId<T>) => {
    const real = client.resource(id);
    return {
      ...real,
      update: (options: Parameters<typeof real.update>[0]) => write(() => real.update(options)),
      updateStatus: (options: Parameters<typeof real.updateStatus>[0]) =>
        write(() => real.updateStatus(options)),
    };
  };
  return { client: { ...client, resource } as Client, isDead: () => left < 0 };
};

const writesOfBinding = 4;

for (let writes = 0; writes <= writesOfBinding; writes += 1)
  test.serial(
    `the controller dies after write ${writes} of a binding: the next one completes it`,
    async (t) => {
      const { client } = t.context;
      const storage = storageClient(client);
      const name = `dies-${writes}`;
      const spec = { storageClassName: name };
      await storage.createVolume(name, spec);
      const settle = runTestControllers(client, [persistentVolumeController()]);
      await storage.volumeIn(name, 'Available');
      await settle.stop();
      const { metadata } = await storage.createClaim(name, spec);
      const dying = dyingClient(client, writes);
      const first = runTestControllers(dying.client, [persistentVolumeController()]);
      if (writes < writesOfBinding) await until('the controller is dead', dying.isDead);
      else await storage.claimIn(name, 'Bound');
      await first.stop();
      const second = runTestControllers(client, [persistentVolumeController()]);
      const claim = await storage.claimIn(name, 'Bound');
      const volume = await storage.volumeIn(name, 'Bound');
      await second.stop();
      t.is(claim.spec?.volumeName, name);
      t.is(volume.spec?.claimRef?.uid, metadata?.uid);
      t.like(claim.metadata?.annotations, {
        'pv.kubernetes.io/bind-completed': 'yes',
        'pv.kubernetes.io/bound-by-controller': 'yes',
      });
      t.is(volume.metadata?.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes');
    },
  );

test.serial('three controllers at once: no claim has two volumes, no volume two claims', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const controllers = Array.from({ length: 3 }, () =>
    runTestControllers(client, [persistentVolumeController({ resyncMs: 500 })]),
  );
  const spec = { storageClassName: 'rivals' };
  const names = Array.from({ length: 15 }, (_, index) => `rivals-${index}`);
  await Promise.all(
    names.flatMap((name) => [storage.createClaim(name, spec), storage.createVolume(name, spec)]),
  );
  const claims = await Promise.all(names.map((name) => storage.claimIn(name, 'Bound')));
  const volumes = await Promise.all(names.map((name) => storage.volumeIn(name, 'Bound')));
  await Promise.all(controllers.map((each) => each.stop()));
  t.is(new Set(claims.map((claim) => claim.spec?.volumeName)).size, names.length);
  for (const volume of volumes) {
    const claim = claims.find(({ metadata }) => metadata?.uid === volume.spec?.claimRef?.uid);
    t.is(claim?.spec?.volumeName, volume.metadata?.name);
  }
});

test.serial('a claim is not lost because its volume is not known here yet', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  // As a backup is restored: both are there, bound, and the claim may be heard of first.
  const claim = await storage.createClaim(
    'restored',
    { storageClassName: 'restored', volumeName: 'restored' },
    { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
  );
  const claimRef = { name: 'restored', namespace: 'default', uid: claim.metadata?.uid ?? '' };
  await storage.createVolume('restored', { storageClassName: 'restored', claimRef });
  const controllers = runTestControllers(client, [persistentVolumeController()]);
  await storage.claimIn('restored', 'Bound');
  await storage.volumeIn('restored', 'Bound');
  await controllers.stop();
  t.pass();
});
