import type {
  CSINode,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttachment,
} from '../../../api/types.ts';
import type { ControllerContext } from '../../../client/controller.ts';
import type { EventRecorder } from '../../../client/event-recorder.ts';
import type { Informer } from '../../../client/informer.ts';
import {
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  volumeAttachments,
} from '../../../client/resources.ts';
import type { RetryOptions } from '../back-off.ts';
import type { SidecarDriver } from '../driver.ts';
import { namedSource } from './data-source.ts';
import type { TopologyMemory } from './topology.ts';

/** What upstream's flags of the same names say. */
export interface ProvisionerOptions extends RetryOptions {
  /** For classes that name none; ext4 as the common deployments have it. */
  defaultFsType?: string | undefined;
  strictTopology?: boolean | undefined;
  immediateTopology?: boolean | undefined;
  /** Tell the driver the names of claim and volume, as parameters. */
  extraCreateMetadata?: boolean | undefined;
  /** A volume with ReadOnlyMany alone is also attached read only. */
  controllerPublishReadOnly?: boolean | undefined;
  /** CreateVolumes at once; upstream's 100. */
  workerThreads?: number | undefined;
}

type Settings = {
  [Key in keyof Omit<ProvisionerOptions, keyof RetryOptions>]-?: NonNullable<ProvisionerOptions[Key]>;
};

/** What the parts of a provisioner share. */
export interface Provisioner {
  driver: SidecarDriver;
  context: ControllerContext;
  options: Settings;
  retry: RetryOptions;
  events: EventRecorder;
  /** Told to drivers and kept on volumes, to know whose they are. */
  identity: string;
  memory: TopologyMemory;
  claims: Informer<PersistentVolumeClaim>;
  volumes: Informer<PersistentVolume>;
  classes: Informer<StorageClass>;
  csiNodes: Informer<CSINode>;
  nodes: Informer<Node>;
  attachments: Informer<VolumeAttachment>;
  /** Aborted when the provisioner stops: calls end. */
  signal: AbortSignal;
}

export const byUid = 'uid';
export const bySource = 'dataSource';

/** Puts together what is shared, with upstream's defaults. */
export function provisionerOf(
  context: ControllerContext,
  driver: SidecarDriver,
  { retryStartMs, retryMaxMs, ...options }: ProvisionerOptions & { signal: AbortSignal },
): Provisioner {
  const { informers } = context;
  return {
    driver,
    context,
    signal: options.signal,
    retry: { retryStartMs, retryMaxMs },
    options: {
      defaultFsType: options.defaultFsType ?? 'ext4',
      strictTopology: options.strictTopology ?? false,
      immediateTopology: options.immediateTopology ?? true,
      extraCreateMetadata: options.extraCreateMetadata ?? false,
      controllerPublishReadOnly: options.controllerPublishReadOnly ?? false,
      workerThreads: options.workerThreads ?? 100,
    },
    events: context.recorder(driver.name),
    identity: `${context.clock.now()}-${Math.floor(Math.random() * 10_000)}-${driver.name}`,
    memory: new Map(),
    claims: informers.informer(persistentVolumeClaims, {
      indexers: {
        [byUid]: ({ metadata }) => [metadata?.uid ?? ''],
        [bySource]: sourceKeys,
      },
    }),
    volumes: informers.informer(persistentVolumes),
    classes: informers.informer(storageClasses),
    csiNodes: informers.informer(csiNodes),
    nodes: informers.informer(nodes),
    attachments: informers.informer(volumeAttachments),
  };
}

/** `KIND/NAMESPACE/NAME` of what a claim is filled from. */
const sourceKeys = (claim: PersistentVolumeClaim): string[] => {
  const source = namedSource(claim);
  return source === undefined ? [] : [sourceKey(source.kind, `${source.namespace}/${source.name}`)];
};

export const sourceKey = (kind: string, key: string): string => `${kind}/${key}`;
