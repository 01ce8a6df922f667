import { quantityValue } from '../../../api/quantity.ts';
import { requestedSize } from '../../../api/storage/match-volume.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../../api/types.ts';
import { volumeAttributesClasses } from '../../../client/resources.ts';
import { inTreeNameFor, translateStorageClass, zoneKeyFor } from '../../translation/index.ts';
import type { CreateVolumeRequest, VolumeContentSource } from '../../types.ts';
import { volumeCapability } from '../access-mode.ts';
import type { DriverCapabilities } from '../driver.ts';
import { classSecretRef, classSecrets, credentialsOf } from '../secrets.ts';
import type { SecretRef } from '../secrets.ts';
import { cloneSource } from './clone-source.ts';
import { dataSourceOf } from './data-source.ts';
import type { DataSource } from './data-source.ts';
import { driverParameters, fsTypeOf } from './parameters.ts';
import type { Provisioner } from './settings.ts';
import { snapshotSource } from './snapshot-source.ts';
import { IgnoredError, ProvisionError } from './states.ts';
import type { ProvisioningState } from './states.ts';
import { accessibilityRequirements, topologyKeysOf } from './topology.ts';

export interface Asked {
  claim: PersistentVolumeClaim;
  storageClass: StorageClass;
  /** Empty for immediate binding. */
  selectedNode: string;
}

/** A CreateVolume request, and what else goes into the PersistentVolume. */
export interface VolumeRequest {
  request: CreateVolumeRequest;
  fsType: string;
  /** The class is an in-tree plugin's: the volume will have that plugin's source. */
  migrated: boolean;
  secrets: Record<keyof typeof classSecrets, SecretRef | undefined>;
  /** The claim has a dataSource: the driver must say what it filled the volume with. */
  hasSource: boolean;
}

/** Prepares what is asked of the driver; nothing is made yet. Rejects with ProvisionError or IgnoredError. */
export async function volumeRequest(
  provisioner: Provisioner,
  asked: Asked,
  capabilities: DriverCapabilities,
): Promise<VolumeRequest> {
  const { claim } = asked;
  const { storageClass, migrated } = translatedClass(provisioner, asked);
  const source = await sourceOf(provisioner, claim);
  const attributesClass = claim.spec?.volumeAttributesClassName ?? '';
  requireCapabilities(capabilities, { source, modify: attributesClass !== '' });
  if (claim.spec?.selector !== undefined) throw finished(new Error('claim Selector is not supported'));

  const pvName = volumeName(claim);
  const parameters = storageClass.parameters ?? {};
  const fsType = attempt('finished', () => fsTypeOf(parameters, provisioner.options.defaultFsType));
  const volumeCapabilities = attempt('finished', () =>
    capabilitiesOf({ claim, storageClass, fsType, capabilities }),
  );
  const volumeContentSource = await contentSource(provisioner, { claim, storageClass, source });
  const secrets = attempt('no-change', () => secretsOf({ parameters, pvName, claim }));
  const request = {
    name: pvName,
    capacityRange: { requiredBytes: quantityValue(requestedSize(claim)), limitBytes: 0 },
    volumeCapabilities,
    volumeContentSource,
    accessibilityRequirements: requirements(provisioner, { ...asked, storageClass }, capabilities),
    secrets: await credentials(provisioner, secrets.provisioner),
    parameters: attempt('finished', () => ({
      ...driverParameters(parameters),
      ...metadataParameters(provisioner, claim),
    })),
    mutableParameters: await attributesOf(provisioner, attributesClass),
  };
  return { request, fsType, migrated, secrets, hasSource: claim.spec?.dataSource !== undefined };
}

/** The same for each attempt: that makes CreateVolume idempotent. */
export const volumeName = ({ metadata }: Pick<PersistentVolumeClaim, 'metadata'>): string =>
  `pvc-${metadata?.uid}`;

export const supportsTopology = ({ plugin }: DriverCapabilities): boolean =>
  plugin.has('VOLUME_ACCESSIBILITY_CONSTRAINTS');

const finished = (error: Error) => new ProvisionError('finished', error.message, { cause: error });

function attempt<T>(state: ProvisioningState, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof ProvisionError || !(error instanceof Error)) throw error;
    throw new ProvisionError(state, error.message, { cause: error });
  }
}

function translatedClass({ driver, csiNodes }: Provisioner, { storageClass }: Asked) {
  if (storageClass.provisioner !== inTreeNameFor(driver.name)) return { storageClass, migrated: false };
  const topologyKeys = csiNodes.lister.list().flatMap((csiNode) => topologyKeysOf(csiNode, driver.name));
  const zoneKey = zoneKeyFor(driver.name, topologyKeys);
  const translated = attempt('finished', () => translateStorageClass(storageClass, { zoneKey }));
  return { storageClass: { ...translated, provisioner: driver.name }, migrated: true };
}

async function sourceOf(
  { context }: Provisioner,
  claim: PersistentVolumeClaim,
): Promise<DataSource | undefined> {
  try {
    return await dataSourceOf(claim, context.client);
  } catch (error) {
    if (error instanceof IgnoredError) {
      const message = 'Assuming an external populator will provision the volume';
      // Upstream tells this one, which is not its library's, under a name of its own.
      const events = context.recorder('external-provisioner');
      events.event({ object: claim, type: 'Normal', reason: 'Provisioning', message });
    }
    throw error;
  }
}

function requireCapabilities(
  { plugin, controller }: DriverCapabilities,
  { source, modify }: { source: DataSource | undefined; modify: boolean },
): void {
  const lacks = (what: string, capability: string) =>
    finished(new Error(`CSI driver does not support ${what}: ${capability} capability is not reported`));
  if (!plugin.has('CONTROLLER_SERVICE')) throw lacks('dynamic provisioning', 'plugin CONTROLLER_SERVICE');
  if (!controller.has('CREATE_DELETE_VOLUME'))
    throw lacks('dynamic provisioning', 'controller CREATE_DELETE_VOLUME');
  if (source?.kind === 'VolumeSnapshot' && !controller.has('CREATE_DELETE_SNAPSHOT'))
    throw lacks('snapshot restore', 'controller CREATE_DELETE_SNAPSHOT');
  if (source?.kind === 'PersistentVolumeClaim' && !controller.has('CLONE_VOLUME'))
    throw lacks('clone operations', 'controller CLONE_VOLUME');
  if (modify && !controller.has('MODIFY_VOLUME'))
    throw lacks('VolumeAttributesClass', 'controller MODIFY_VOLUME');
}

function capabilitiesOf({
  claim,
  storageClass,
  fsType,
  capabilities,
}: {
  claim: PersistentVolumeClaim;
  storageClass: StorageClass;
  fsType: string;
  capabilities: DriverCapabilities;
}) {
  const singleNodeMultiWriter = capabilities.controller.has('SINGLE_NODE_MULTI_WRITER');
  const { accessModes = [], volumeMode } = claim.spec ?? {};
  const { mountOptions } = storageClass;
  return accessModes.map((accessMode) =>
    volumeCapability({ accessModes: [accessMode], volumeMode, fsType, mountOptions, singleNodeMultiWriter }),
  );
}

async function contentSource(
  { context: { client } }: Provisioner,
  options: { claim: PersistentVolumeClaim; storageClass: StorageClass; source: DataSource | undefined },
): Promise<VolumeContentSource | null> {
  const { source } = options;
  if (source === undefined) return null;
  try {
    const find = source.kind === 'VolumeSnapshot' ? snapshotSource : cloneSource;
    return await find({ ...options, source, client });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `error getting handle for DataSource Type ${source.kind} by Name ${source.name}: ${why}`;
    throw new ProvisionError('no-change', message, { cause: error });
  }
}

function requirements(
  { driver, options, memory, csiNodes, nodes }: Provisioner,
  { claim, storageClass, selectedNode }: Asked,
  capabilities: DriverCapabilities,
) {
  if (!supportsTopology(capabilities)) return null;
  const { strictTopology, immediateTopology } = options;
  const { uid = '', name = '' } = claim.metadata ?? {};
  const required = accessibilityRequirements({
    driverName: driver.name,
    claim: { uid, name },
    allowedTopologies: storageClass.allowedTopologies ?? [],
    selectedNode,
    strictTopology,
    immediateTopology,
    csiNodes: csiNodes.lister,
    nodes: nodes.lister,
    memory,
  });
  return required ?? null;
}

function secretsOf(options: Parameters<typeof classSecretRef>[1]): VolumeRequest['secrets'] {
  const refs = Object.entries(classSecrets).map(([name, secret]) => [name, classSecretRef(secret, options)]);
  return Object.fromEntries(refs) as VolumeRequest['secrets'];
}

async function credentials({ context: { client } }: Provisioner, ref: SecretRef | undefined) {
  try {
    return await credentialsOf(client, ref);
  } catch (error) {
    throw new ProvisionError('no-change', (error as Error).message, { cause: error });
  }
}

function metadataParameters({ options }: Provisioner, claim: PersistentVolumeClaim): Record<string, string> {
  if (!options.extraCreateMetadata) return {};
  return {
    'csi.storage.k8s.io/pvc/name': claim.metadata?.name ?? '',
    'csi.storage.k8s.io/pvc/namespace': claim.metadata?.namespace ?? '',
    'csi.storage.k8s.io/pv/name': volumeName(claim),
  };
}

async function attributesOf({ context: { client }, driver }: Provisioner, name: string) {
  if (name === '') return {};
  const found = await client
    .resource(volumeAttributesClasses)
    .get({ name })
    .catch((error: unknown) => {
      throw new ProvisionError('no-change', (error as Error).message, { cause: error });
    });
  if (found.driverName !== driver.name)
    throw new ProvisionError(
      'finished',
      `VAC ${name} referenced in PVC is for driver ${found.driverName} which does not match driver name ${driver.name}`,
    );
  return found.parameters ?? {};
}
