import type { ConfigMap, Pod, Secret, Volume } from '../../api/types.ts';
import type { ResourceList } from '../environment/resource-field.ts';
import type { Token, TokenOptions } from '../tokens/token-manager.ts';
import type { VolumeMode, VolumeSpec } from './volume-spec.ts';

/** What a volume may ask for while it is set up. */
export interface VolumeServices {
  /** Rejects with a NotFound StatusError. */
  getConfigMap(namespace: string, name: string): Promise<ConfigMap>;
  getSecret(namespace: string, name: string): Promise<Secret>;
  getToken(options: TokenOptions): Promise<Token>;
  /** Node.status.allocatable. */
  nodeAllocatable(): ResourceList;
  /** For what no reader of a volume waits for, such as the removal of old files. May be lost in a crash. */
  later(work: () => void): void;
}

/** Where a volume of a Pod is; all that is known of it after a restart. */
export interface VolumePlace {
  podUid: string;
  /** The name of its folder: the spec's, which for a claim is the PersistentVolume's. */
  volumeName: string;
  /** `pods/<uid>/volumes/<plugin>/<volume>`; of a block volume `pods/<uid>/volumeDevices/<plugin>/<volume>`, a link. */
  directory: string;
  /** `pods/<uid>/plugins/<plugin>/<volume>`: for the plugin's own notes. */
  metaDirectory: string;
}

export interface SetUpOptions extends VolumePlace {
  pod: Pod;
  /** As the Pod has it. */
  volume: Volume;
  spec: VolumeSpec;
  services: VolumeServices;
  signal: AbortSignal;
  /** To be called when what a setUp has failed for may be gone: then it is tried again at once. */
  retry: () => void;
}

export interface SetUpResult {
  /** Set up again at this time (milliseconds since the Unix epoch), because a token is due. */
  refreshAtMs?: number | undefined;
  /** It was mounted already, by a kubelet before this one; it may have grown meanwhile. */
  wasMounted?: boolean;
}

/**
 * One type of volume. The table of them is plugins.ts; a new type is a new record there.
 * All functions are idempotent, and may be called again after a crash in the middle of a former call.
 */
export interface VolumePlugin {
  /** As upstream names it, such as `kubernetes.io/configmap`: the name of its folder on disk. */
  name: string;
  /** What its volumes are; `Filesystem` when not given. One plugin in two modes is two records. */
  mode?: VolumeMode;
  canSupport(spec: VolumeSpec): boolean;
  /** setUp is called again whenever the Pod or an object that the volume names has changed. */
  requiresRemount: boolean;
  /** Containers get it read-only, whatever they ask for. */
  readOnly: boolean;
  /** PersistentVolume.spec.mountOptions may be given. */
  takesMountOptions?: boolean;
  /** The path of the volume on this node; `directory` when not given, empty when the runtime knows it (image). */
  hostPath?(spec: VolumeSpec, place: VolumePlace): string;
  /**
   * Rejects with a VolumeError, or with an Error whose message is the reason in
   * `MountVolume.SetUp failed for volume "x" : <reason>`.
   */
  setUp(options: SetUpOptions): Promise<SetUpResult | undefined>;
  /** Whether it may be mounted as far as a controller has to attach it first. */
  isAttached?(spec: VolumeSpec): boolean;
  /** The node can't have it attached: it has as many volumes as it can have. Looked at when attaching takes too long. */
  isRefusedForLimit?(spec: VolumeSpec): Promise<boolean>;
  /** Takes it away: unmounts first, and removes only what is on the volume's own file system. */
  tearDown(place: VolumePlace): Promise<void>;
  /** After a restart: the volume is on disk, and its Pod may be using it. */
  adopt?(place: VolumePlace): void;
  /** Makes a mounted volume as large as its PersistentVolume now is. Rejects with a VolumeError. */
  resize?(options: SetUpOptions): Promise<void>;
  /** How full it is, when the plugin knows better than the file system. */
  stats?(spec: VolumeSpec, place: VolumePlace): Promise<PluginVolumeStats | undefined>;
}

/** How full a volume is, and what the plugin says of its health. */
export interface PluginVolumeStats {
  usedBytes: number;
  capacityBytes: number;
  availableBytes: number;
  inodesUsed: number;
  inodes: number;
  inodesFree: number;
  condition?: { abnormal: boolean; message: string } | undefined;
}
