import { betaStorageProvisioner, storageProvisioner } from '../../api/storage/annotations.ts';
import { classOfClaim } from '../../api/storage/storage-class.ts';
import type { PersistentVolumeClaim } from '../../api/types.ts';
import { isConflict } from '../../client/errors.ts';
import { csiNameFor } from '../../csi/translation/index.ts';
import type { Binder } from './binder.ts';
import { claimAnnotations } from './migration.ts';
import { saveClaim } from './save.ts';

/**
 * Asks the provisioner of the claim's class for a volume, by annotations that external provisioners watch for. No
 * provisioner works inside of this controller: kubernetes.io/ names are either CSI drivers' former names or refused.
 */
export const requestVolume = async (claim: PersistentVolumeClaim, binder: Binder): Promise<void> => {
  const fail = (message: string) =>
    binder.announce(claim, { type: 'Warning', reason: 'ProvisioningFailed', message });
  const className = classOfClaim(claim);
  const storageClass = binder.classes.getByKey(className);
  if (storageClass === undefined) return fail(`storageclass.storage.k8s.io "${className}" not found`);
  const provisioner = csiNameFor(storageClass.provisioner) ?? storageClass.provisioner;
  const refusal = inTreeRefusal(provisioner);
  if (refusal !== undefined) return fail(refusal);
  try {
    await setProvisioner(claim, { provisioner, binder });
  } catch (error) {
    // A newer claim is on its way here, and will be asked for.
    if (!isConflict(error))
      fail(`Error saving claim: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
  binder.announce(claim, {
    type: 'Normal',
    reason: 'ExternalProvisioning',
    message:
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' ` +
      'or manually by the system administrator. If volume creation is delayed, please verify that ' +
      'the provisioner is running and correctly registered.',
  });
};

const setProvisioner = async (
  claim: PersistentVolumeClaim,
  { provisioner, binder }: { provisioner: string; binder: Binder },
): Promise<void> => {
  const present = claim.metadata?.annotations;
  if (present?.[storageProvisioner] === provisioner) return;
  const annotations = claimAnnotations({
    ...present,
    [betaStorageProvisioner]: provisioner,
    [storageProvisioner]: provisioner,
  });
  await saveClaim({ ...claim, metadata: { ...claim.metadata, ...(annotations && { annotations }) } }, binder);
};

/** What kube-controller-manager says of provisioners that it should have inside, and hasn't or mustn't use. */
const inTreeRefusal = (provisioner: string): string | undefined => {
  if (!provisioner.startsWith('kubernetes.io/')) return undefined;
  if (provisioner === 'kubernetes.io/host-path')
    return 'Failed to create provisioner: provisioning in volume plugin "kubernetes.io/host-path" is disabled';
  if (provisioner === 'kubernetes.io/nfs') return 'no provisionable volume plugin matched';
  return `no volume plugin matched name: ${provisioner}`;
};
