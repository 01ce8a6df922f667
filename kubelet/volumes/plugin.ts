import type { ConfigMap, Pod, Secret, Volume } from '../../api/types.ts';
import type { ResourceList } from '../environment/resource-field.ts';
import type { Token, TokenOptions } from '../tokens/token-manager.ts';

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
  volumeName: string;
  /** `pods/<uid>/volumes/<plugin>/<volume>`. */
  directory: string;
  /** `pods/<uid>/plugins/<plugin>/<volume>`: for the plugin's own notes. */
  metaDirectory: string;
}

export interface SetUpOptions extends VolumePlace {
  pod: Pod;
  volume: Volume;
  services: VolumeServices;
  signal: AbortSignal;
}

export interface SetUpResult {
  /** Set up again at this time (milliseconds since the Unix epoch), because a token is due. */
  refreshAtMs?: number | undefined;
}

/**
 * One type of volume. The table of them is plugins.ts; a new type is a new record there.
 * All functions are idempotent, and may be called again after a crash in the middle of a former call.
 */
export interface VolumePlugin {
  /** As upstream names it, such as `kubernetes.io/configmap`: the name of its folder on disk. */
  name: string;
  canSupport(volume: Volume): boolean;
  /** setUp is called again whenever the Pod or an object that the volume names has changed. */
  requiresRemount: boolean;
  /** Containers get it read-only, whatever they ask for. */
  readOnly: boolean;
  /** The path of the volume on this node; `directory` when not given, empty when the runtime knows it (image). */
  hostPath?(volume: Volume): string;
  /** Rejects with an Error whose message is the reason in `MountVolume.SetUp failed for volume "x" : <reason>`. */
  setUp(options: SetUpOptions): Promise<SetUpResult | undefined>;
  /** Takes it away: unmounts first, and removes only what is on the volume's own file system. */
  tearDown(place: VolumePlace): Promise<void>;
}
