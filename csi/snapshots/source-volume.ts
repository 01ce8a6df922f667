import { quote } from '../../api/go-format.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts';
import { mayReferTo, nameOf, namespaceOf } from './names.ts';
import { cachedOrPresent } from './present.ts';
import { wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot } from './types.ts';

/** The claim a snapshot is taken of. Rejects with an Error in upstream's words when there is none. */
export const sourceClaim = async (
  { client, claims }: Snapshotting,
  snapshot: VolumeSnapshot,
): Promise<PersistentVolumeClaim> => {
  const { persistentVolumeClaimName: name } = snapshot.spec.source;
  if (name === undefined) throw new Error('the snapshot source PVC name is not specified');
  if (name === '') throw new Error(`the PVC name is not specified in snapshot ${keyOf(snapshot)}`);
  const claim = await cachedOrPresent(
    { client, lister: claims, resource: persistentVolumeClaims },
    { namespace: namespaceOf(snapshot), name },
    ({ status }) => status?.phase === 'Bound',
  );
  if (claim !== undefined) return claim;
  const notFound = quote(`persistentvolumeclaim ${quote(name)} not found`);
  throw new Error(`failed to retrieve PVC ${name} from the lister: ${notFound}`);
};

/** The volume of a bound claim. Rejects with an Error in upstream's words; `what` names the kind of snapshot. */
export const boundVolume = async (
  { client, volumes }: Snapshotting,
  claim: PersistentVolumeClaim,
  what: 'snapshot' | 'group snapshot',
): Promise<PersistentVolume> => {
  if (claim.status?.phase !== 'Bound')
    throw new Error(`the PVC ${nameOf(claim)} is not yet bound to a PV, will not attempt to take a ${what}`);
  const name = claim.spec?.volumeName ?? '';
  const get = () =>
    client
      .resource(persistentVolumes)
      .get({ name })
      .catch((error: unknown) => {
        throw new Error(`failed to retrieve PV ${name} from the API server: ${quote(wordsOf(error))}`, {
          cause: error,
        });
      });
  const known = volumes.get({ name });
  // The claim may be seen as bound before its volume is.
  const volume = known !== undefined && isBoundTo(known, claim) ? known : await get();
  if (!isBoundTo(volume, claim)) throw new Error('claim in dataSource not bound or invalid');
  return volume;
};

const isBoundTo = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  spec?.claimRef !== undefined && mayReferTo(spec.claimRef, claim);
