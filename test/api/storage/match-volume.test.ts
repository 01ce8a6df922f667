import test from 'ava';
import fc from 'fast-check';
import { bindVolumeToClaim, isVolumeBoundToClaim } from '../../../api/storage/bind-volume.ts';
import { checkNodeAffinity, findMatchingVolume, mismatchOf } from '../../../api/storage/match-volume.ts';
import { defaultClassOf, isDelayedBinding } from '../../../api/storage/storage-class.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../api/types.ts';
import { findBestVolume } from '../../../controllers/persistent-volume/best-volume.ts';

const claimMetadata = { name: 'claim', namespace: 'default', uid: 'claim-uid' };

/** Few values of everything, so that matches and ties are common. */
const modes = fc.uniqueArray(fc.constantFrom('ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'), {
  minLength: 1,
});
const claimRefs = fc.option(
  fc.constantFrom(
    { name: 'claim', namespace: 'default' },
    { name: 'claim', namespace: 'default', uid: 'claim-uid' },
    { name: 'claim', namespace: 'default', uid: 'former-uid' },
    { name: 'claim', namespace: 'elsewhere' },
    { name: 'other', namespace: 'default', uid: 'other-uid' },
  ),
  { freq: 2, nil: undefined },
);
const zones = fc.option(fc.constantFrom('a', 'b'), { nil: undefined });

interface Drawn {
  gibibytes: number;
  accessModes: string[];
  className: string | undefined;
  volumeMode: string | undefined;
  attributesClass: string | undefined;
  tier: string | undefined;
}
const drawn = fc.record({
  gibibytes: fc.integer({ min: 1, max: 4 }),
  accessModes: modes,
  className: fc.constantFrom(undefined, '', 'fast'),
  volumeMode: fc.constantFrom(undefined, 'Filesystem', 'Block'),
  attributesClass: fc.constantFrom(undefined, '', 'gold'),
  tier: fc.constantFrom(undefined, 'x', 'y'),
});
const withoutUndefined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const specOf = ({ accessModes, className, volumeMode, attributesClass }: Drawn) =>
  withoutUndefined({
    accessModes,
    storageClassName: className,
    volumeMode,
    volumeAttributesClassName: attributesClass,
  });

const someVolumes = fc
  .array(
    fc.record({
      drawn,
      claimRef: claimRefs,
      phase: fc.constantFrom('Available', 'Available', 'Available', 'Pending', 'Bound', 'Released'),
      isBeingDeleted: fc.constantFrom(false, false, false, true),
      zone: zones,
    }),
    { maxLength: 12 },
  )
  .map((all) =>
    all.map((each, index): PersistentVolume => {
      const nodeAffinity = each.zone && {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [each.zone] }] }],
        },
      };
      return {
        metadata: {
          name: `pv-${index}`,
          ...(each.drawn.tier === undefined ? {} : { labels: { tier: each.drawn.tier } }),
          ...(each.isBeingDeleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
        },
        spec: {
          ...specOf(each.drawn),
          capacity: { storage: `${each.drawn.gibibytes}Gi` },
          ...withoutUndefined({ claimRef: each.claimRef, nodeAffinity }),
        },
        status: { phase: each.phase },
      };
    }),
  );

const someClaim = drawn.map((each): PersistentVolumeClaim => ({
  metadata: claimMetadata,
  spec: {
    ...specOf(each),
    resources: { requests: { storage: `${each.gibibytes * 1024}Mi` } },
    ...(each.tier === undefined ? {} : { selector: { matchLabels: { tier: each.tier } } }),
  },
}));
const someNode = fc
  .constantFrom('a', 'b')
  .map((zone): Node => ({ metadata: { name: zone, labels: { zone } } }));

/** The rules said once more, each on its own and without any cleverness: what must hold of the answer. */
const isCandidate = (
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
  { node, delayBinding }: { node?: Node | undefined; delayBinding: boolean },
): 'reserved' | 'free' | 'no' => {
  const size = (text: string | undefined) => parseInt(text ?? '0', 10) * (text?.endsWith('Gi') ? 1024 : 1);
  const ref = volume.spec?.claimRef;
  if (volume.metadata?.deletionTimestamp !== undefined) return 'no';
  if (size(volume.spec?.capacity?.['storage']) < size(claim.spec?.resources?.requests?.['storage']))
    return 'no';
  if ((volume.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) return 'no';
  if ((volume.spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? ''))
    return 'no';
  if (ref !== undefined) {
    if (ref.name !== 'claim' || ref.namespace !== 'default') return 'no';
    return ref.uid === undefined || ref.uid === 'claim-uid' ? 'reserved' : 'no';
  }
  const tier = claim.spec?.selector?.matchLabels?.['tier'];
  const zone = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values?.[0];
  if (volume.status?.phase !== 'Available' || (delayBinding && node === undefined)) return 'no';
  if ((volume.spec?.storageClassName ?? '') !== (claim.spec?.storageClassName ?? '')) return 'no';
  if (tier !== undefined && volume.metadata?.labels?.['tier'] !== tier) return 'no';
  if (node !== undefined && zone !== undefined && zone !== node.metadata?.name) return 'no';
  const offered = volume.spec?.accessModes ?? [];
  if (node !== undefined && !claim.spec?.accessModes?.every((mode) => offered.includes(mode))) return 'no';
  return 'free';
};
const sizeOf = (volume: PersistentVolume | undefined) =>
  parseInt(volume?.spec?.capacity?.['storage'] ?? '0', 10);

test('findMatchingVolume answers as a naive model does', (t) => {
  fc.assert(
    fc.property(
      someClaim,
      someVolumes,
      fc.option(someNode, { nil: undefined }),
      fc.boolean(),
      fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { maxLength: 3 }),
      (claim, all, node, delayBinding, excludedIndexes) => {
        const excluded = new Set(excludedIndexes.map((index) => `pv-${index}`));
        const answer = findMatchingVolume({ claim, volumes: all, node, delayBinding, excluded });
        const volumes = all.filter(({ metadata }) => !excluded.has(metadata?.name ?? ''));
        const kind = (volume: PersistentVolume) => isCandidate(volume, claim, { node, delayBinding });
        const reserved = volumes.find((volume) => kind(volume) === 'reserved');
        if (reserved !== undefined) {
          const isReachable = node === undefined || checkNodeAffinity(reserved, node.metadata?.labels);
          t.is(answer, isReachable ? reserved : undefined);
          return;
        }
        const free = volumes.filter((volume) => kind(volume) === 'free');
        const smallest = Math.min(...free.map(sizeOf));
        t.is(
          answer,
          free.find((volume) => sizeOf(volume) === smallest),
        );
      },
    ),
    { numRuns: 3000 },
  );
});

test('findBestVolume offers all modes of the claim, and never more modes or size than needed', (t) => {
  fc.assert(
    fc.property(someClaim, someVolumes, (claim, volumes) => {
      const answer = findBestVolume({ claim, volumes, delayBinding: false });
      const offers = (volume: PersistentVolume) => new Set(volume.spec?.accessModes);
      const candidates = volumes.filter(
        (volume) =>
          isCandidate(volume, claim, { delayBinding: false }) !== 'no' &&
          claim.spec?.accessModes?.every((mode) => offers(volume).has(mode)),
      );
      t.is(answer === undefined, candidates.length === 0);
      if (answer === undefined) return;
      t.true(candidates.includes(answer));
      t.true(candidates.every((other) => offers(other).size >= offers(answer).size));
    }),
    { numRuns: 2000 },
  );
});

test('what binding writes is complete, and written once', (t) => {
  fc.assert(
    fc.property(someClaim, someVolumes, (claim, volumes) => {
      for (const volume of volumes) {
        const before = structuredClone(volume);
        const bound = bindVolumeToClaim(volume, claim);
        t.deepEqual(volume, before, 'what is given is left alone');
        t.true(isVolumeBoundToClaim(bound, claim));
        t.is(bound.spec?.claimRef?.uid, 'claim-uid');
        const wasOurs = isVolumeBoundToClaim(volume, claim);
        t.is(
          bound.metadata?.annotations?.['pv.kubernetes.io/bound-by-controller'],
          wasOurs ? undefined : 'yes',
        );
        t.is(bindVolumeToClaim(bound, claim), bound);
      }
    }),
  );
});

test('a claim and the volume it names: the first thing that does not fit is told', (t) => {
  const volume: PersistentVolume = {
    metadata: { name: 'pv' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
  };
  const claim = (spec: PersistentVolumeClaim['spec']): PersistentVolumeClaim => ({
    metadata: claimMetadata,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } }, ...spec },
  });
  t.is(mismatchOf(volume, claim({})), undefined);
  t.is(
    mismatchOf(volume, claim({ resources: { requests: { storage: '1025Mi' } }, storageClassName: 'x' })),
    'requested PV is too small',
  );
  t.is(mismatchOf(volume, claim({ storageClassName: 'x' })), 'storageClassName does not match');
  t.is(
    mismatchOf(volume, claim({ volumeAttributesClassName: 'x' })),
    'volumeAttributesClassName does not match',
  );
  t.is(mismatchOf(volume, claim({ volumeMode: 'Block' })), 'incompatible volumeMode');
  t.is(mismatchOf(volume, claim({ accessModes: ['ReadWriteMany'] })), 'incompatible accessMode');
  t.is(
    mismatchOf({ ...volume, metadata: { name: 'pv', deletionTimestamp: '2026-01-01T00:00:00Z' } }, claim({})),
    'the volume is marked for deletion "pv"',
  );
  const annotated = { ...claim({ storageClassName: 'x' }) };
  annotated.metadata = { ...claimMetadata, annotations: { 'volume.beta.kubernetes.io/storage-class': '' } };
  t.is(mismatchOf(volume, annotated), undefined, 'the annotation is stronger than the field');
});

test('the default class: the newest, then the first by name; a class that is not there delays nothing', (t) => {
  const storageClass = (name: string, creationTimestamp: string, key?: string): StorageClass => ({
    metadata: { name, creationTimestamp, ...(key === undefined ? {} : { annotations: { [key]: 'true' } }) },
    provisioner: 'x',
  });
  const isDefault = 'storageclass.kubernetes.io/is-default-class';
  const beta = 'storageclass.beta.kubernetes.io/is-default-class';
  const old = storageClass('a-old', '2026-01-01T00:00:00Z', isDefault);
  const b = storageClass('b', '2026-02-01T00:00:00Z', beta);
  const c = storageClass('c', '2026-02-01T00:00:00Z', isDefault);
  const none = storageClass('none', '2026-03-01T00:00:00Z');
  t.is(defaultClassOf([none]), undefined);
  t.is(defaultClassOf([none, old]), old);
  t.is(defaultClassOf([old, c, none, b]), b);
  t.false(isDelayedBinding(undefined));
  t.true(isDelayedBinding({ ...old, volumeBindingMode: 'WaitForFirstConsumer' }));
});
