import { quantityValue } from '../../../api/quantity.ts';
import { labelSelectorMatcher } from '../../../api/selectors/labels.ts';
import { noProvisioner } from '../../../api/storage/annotations.ts';
import { classOfClaim } from '../../../api/storage/storage-class.ts';
import { matchesTopologySelectorTerms } from '../../../api/storage/topology-selector.ts';
import type { CSIStorageCapacity, Node, PersistentVolumeClaim, StorageClass } from '../../../api/types.ts';
import { keyOf } from '../../../client/objects.ts';
import { capacitiesOf } from './storage-state.ts';
import type { StorageState } from './storage-state.ts';

/** Whether a volume could be made for the claim where this node reaches it. Throws Error without a class. */
export const canProvision = (
  claim: PersistentVolumeClaim,
  { node, storage }: { node: Node; storage: StorageState },
): 'yes' | 'no' | 'no space' => {
  const className = classOfClaim(claim);
  if (className === '') throw new Error(`no class for claim ${JSON.stringify(keyOf(claim))}`);
  const storageClass = storage.classes.getByKey(className);
  if (storageClass === undefined)
    throw new Error(`failed to find storage class ${JSON.stringify(className)}`);
  if (storageClass.provisioner === '' || storageClass.provisioner === noProvisioner) return 'no';
  const labels = node.metadata?.labels ?? {};
  if (!matchesTopologySelectorTerms(storageClass.allowedTopologies, labels)) return 'no';
  return hasEnoughCapacity(claim, { storageClass, labels, storage }) ? 'yes' : 'no space';
};

/** Only drivers that say so publish their capacities; for others there is always enough. */
const hasEnoughCapacity = (
  claim: PersistentVolumeClaim,
  {
    storageClass,
    labels,
    storage,
  }: { storageClass: StorageClass; labels: Readonly<Record<string, string>>; storage: StorageState },
): boolean => {
  const request = claim.spec?.resources?.requests?.['storage'];
  const driver = storage.csiDrivers.getByKey(storageClass.provisioner);
  if (request === undefined || driver?.spec.storageCapacity !== true) return true;
  const sizeBytes = quantityValue(request);
  return capacitiesOf(storage, storageClass.metadata?.name ?? '').some(
    (capacity) => (volumeLimitBytes(capacity) ?? -1) >= sizeBytes && isAccessible(capacity, labels),
  );
};

/** The largest volume that fits; the driver's word for it is more precise than the space that is left. */
export const volumeLimitBytes = ({ maximumVolumeSize, capacity }: CSIStorageCapacity): number | undefined => {
  const limit = maximumVolumeSize ?? capacity;
  return limit === undefined ? undefined : quantityValue(limit);
};

/** Without a topology the storage is out of every node's reach. */
const isAccessible = (
  { nodeTopology }: CSIStorageCapacity,
  labels: Readonly<Record<string, string>>,
): boolean => nodeTopology !== undefined && labelSelectorMatcher(nodeTopology).matches(labels);
