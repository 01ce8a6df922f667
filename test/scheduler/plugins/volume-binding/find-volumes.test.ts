import test from 'ava';
import fc from 'fast-check';
import { quantityValue } from '../../../../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../../api/types.ts';
import { findPodVolumes } from '../../../../scheduler/plugins/volume-binding/find-volumes.ts';
import type { PodVolumes } from '../../../../scheduler/plugins/volume-binding/find-volumes.ts';
import { followStorage } from '../../../../scheduler/plugins/volume-binding/storage-state.ts';
import { fakeInformers } from '../../fake-informers.ts';
import { aNode } from '../../fixtures.ts';
import { aClaim, aClass, aVolume, zoneLabel } from '../../storage-fixtures.ts';

const sizes = fc.constantFrom('1Gi', '2Gi', '3Gi');
const zones = fc.constantFrom('a', 'b', undefined);
const claimsOf = (arbitrary: fc.Arbitrary<string>) =>
  fc
    .array(arbitrary, { minLength: 1, maxLength: 3 })
    .map((list) => list.map((size, index) => aClaim({ name: `claim-${index}`, size })));
const volumesOf = fc
  .array(fc.record({ size: sizes, zone: zones, phase: fc.constantFrom('Available', 'Bound') }), {
    maxLength: 5,
  })
  .map((list) =>
    list.map(({ zone, ...more }, index) =>
      aVolume({ name: `pv-${index}`, ...more, ...(zone === undefined ? {} : { zone }) }),
    ),
  );

const find = (
  { claims, volumes }: { claims: PersistentVolumeClaim[]; volumes: PersistentVolume[] },
  provisioner: string,
) => {
  const informers = fakeInformers({
    persistentvolumes: volumes,
    persistentvolumeclaims: claims,
    storageclasses: [aClass({ provisioner, zones: ['a'] })],
  });
  const node = aNode({ labels: { [zoneLabel]: 'a' } });
  return findPodVolumes(
    { bound: [], delayed: claims, immediate: [] },
    { node, storage: followStorage(informers) },
  );
};

const sizeOf = (object: PersistentVolume | PersistentVolumeClaim | undefined): number => {
  const spec = object?.spec ?? {};
  const size = 'capacity' in spec ? spec.capacity?.['storage'] : undefined;
  const request = 'resources' in spec ? spec.resources?.requests?.['storage'] : undefined;
  return quantityValue(size ?? request ?? '0');
};

const isReached = ({ spec }: PersistentVolume): boolean =>
  spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values?.includes('a') ?? true;

/** By trying everything: whether each claim can have a volume of its own. */
const canMatch = (
  claims: readonly PersistentVolumeClaim[],
  volumes: readonly PersistentVolume[],
): boolean => {
  const [claim, ...others] = claims;
  if (claim === undefined) return true;
  return volumes.some(
    (volume, index) =>
      volume.status?.phase === 'Available' &&
      isReached(volume) &&
      sizeOf(volume) >= sizeOf(claim) &&
      canMatch(others, volumes.toSpliced(index, 1)),
  );
};

const isSound = ({ bindings, provisions }: PodVolumes, claims: readonly PersistentVolumeClaim[]): boolean =>
  new Set(bindings.map(({ volume }) => volume.metadata?.name)).size === bindings.length &&
  bindings.every(({ claim, volume }) => isReached(volume) && sizeOf(volume) >= sizeOf(claim)) &&
  new Set([...bindings.map(({ claim }) => claim), ...provisions]).size === claims.length;

test('volumes are found when there are some, each for one claim and in reach', (t) => {
  fc.assert(
    fc.property(claimsOf(sizes), volumesOf, (claims, volumes) => {
      const found = find({ claims, volumes }, 'kubernetes.io/no-provisioner');
      if ('reasons' in found) return !canMatch(claims, volumes);
      return canMatch(claims, volumes) && found.provisions.length === 0 && isSound(found, claims);
    }),
  );
  t.pass();
});

test('what has no volume is provisioned', (t) => {
  fc.assert(
    fc.property(claimsOf(sizes), volumesOf, (claims, volumes) => {
      const found = find({ claims, volumes }, 'driver.example');
      return !('reasons' in found) && isSound(found, claims);
    }),
  );
  t.pass();
});
