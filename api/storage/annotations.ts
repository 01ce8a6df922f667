/**
 * The annotations and finalizers by which the scheduler, the binder and CSI's sidecars speak to each other
 * (k8s.io/component-helpers storage/volume). Where no value is named, only their presence counts.
 */

/** On a claim: it has been bound once; from now on losing its volume means Lost. */
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
/** On a claim or volume: the binder made the binding, so it may also undo it. */
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
/** On a claim: the node that the scheduler chose, near which the volume is to be made. */
export const selectedNode = 'volume.kubernetes.io/selected-node';
/** On a volume: the provisioner that made it. */
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
/** On a claim or volume of an in-tree provisioner: the CSI driver that does the work. */
export const migratedTo = 'pv.kubernetes.io/migrated-to';
/** On a claim: the provisioner that is asked to make a volume. */
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner';
/** On a claim or volume, older than the field spec.storageClassName, and stronger. */
export const betaStorageClass = 'volume.beta.kubernetes.io/storage-class';
/** On a volume: the size that the claim had before the volume's file system could be grown. */
export const preResizeCapacity = 'volume.alpha.kubernetes.io/pre-resize-capacity';
/** On a claim: which resizer grows its volume. */
export const storageResizer = 'volume.kubernetes.io/storage-resizer';

/** Finalizer: the claim may be used by a Pod. */
export const claimProtection = 'kubernetes.io/pvc-protection';
/** Finalizer: the volume may be bound. */
export const volumeProtection = 'kubernetes.io/pv-protection';
/** Finalizer: the VolumeAttributesClass may be used. */
export const attributesClassProtection = 'kubernetes.io/vac-protection';
/** Finalizer that external-provisioner keeps on volumes with policy Delete until the storage is gone. */
export const externalProvisionerProtection = 'external-provisioner.volume.kubernetes.io/finalizer';
/** Finalizer of the same purpose for volumes that an in-tree provisioner made. */
export const inTreeProtection = 'kubernetes.io/pv-controller';

/** The provisioner of classes whose volumes nobody makes on demand. */
export const noProvisioner = 'kubernetes.io/no-provisioner';
