import type { CgroupEntrance } from '../../cgroups/index.ts';
import type { SeccompProfile } from './seccomp-profile.ts';

/** A namespace of a container: a new one, the host's, or the one that a path leads to (`/proc/PID/ns/ipc`, a bound netns). */
export type NamespaceChoice = 'new' | 'host' | { path: string };

export interface SandboxSpec {
  id: string;
  /** A directory of the sandbox's own, which exists. The plan is kept there; `pause` runs with it as state, not as root. */
  stateDir: string;
  /** Shown by ps and lsns after `/pause`, such as `default/web`. */
  label?: string;
  hostname?: string;
  namespaces: { network: NamespaceChoice; ipc: NamespaceChoice; uts: NamespaceChoice; pid: NamespaceChoice };
  /** Where the network namespace is bound, so that it outlives pause and the CNI plugins find it. The file is made. */
  netnsPath?: string;
  /** Kernel parameters of the sandbox's namespaces, such as `net.ipv4.ip_forward: '1'`. */
  sysctls?: Record<string, string>;
  /** Of the cgroup to join. */
  cgroup?: CgroupEntrance;
  /** Default -998, as the kubelet's. Degrades with a warning where the right is missing. */
  oomScoreAdj?: number;
  /** Default 65535:65535, as upstream's pause. */
  user?: { uid: number; gid: number };
}

export interface RootFileSystem {
  /** The overlay's lower directories, topmost first. */
  lowerDirectories: string[];
  /** On one file system, which must not be an overlay itself; both exist and are the container's own. */
  upperDirectory: string;
  workDirectory: string;
  /** An empty directory to mount it on. The mount exists in the container's mount namespace only; the host sees none. */
  mergedDirectory: string;
}

export interface ContainerMount {
  /** A path of the host, symlinks followed. It exists. */
  source: string;
  /** A path of the container; symlinks in it are followed inside the container's root only. Made when missing. */
  target: string;
  readOnly?: boolean;
  /** The mounts below the source are read-only too. Asks for `readOnly`. */
  recursiveReadOnly?: boolean;
  /** None, HostToContainer, Bidirectional of the Pod API. Default `private`. */
  propagation?: 'private' | 'host-to-container' | 'bidirectional';
}

export interface TmpfsMount {
  target: string;
  /** mount(2) data, such as `size=64m,mode=1777`. */
  options?: string;
}

export interface ContainerDevice {
  hostPath: string;
  containerPath: string;
}

export interface CapabilitySets {
  /** Names as `NET_ADMIN` or `CAP_NET_ADMIN`; `ALL`. The bounding set. */
  bounding: string[];
  effective: string[];
  permitted: string[];
  inheritable: string[];
  ambient: string[];
}

export interface ResourceLimit {
  /** RLIMIT_NOFILE or nofile. */
  type: string;
  soft: number | 'unlimited';
  hard: number | 'unlimited';
}

export interface ProcessSpec {
  /** Command and arguments; the command is looked up in PATH of `env`, inside the container. */
  args: string[];
  /** `NAME=value`. */
  env: string[];
  /** Absolute; made when missing. Default `/`. */
  cwd?: string;
  uid?: number;
  gid?: number;
  additionalGids?: number[];
  umask?: number;
  /** Default: the container default set (capabilities.ts, `defaultCapabilities`) in bounding, effective and permitted. */
  capabilities?: CapabilitySets;
  noNewPrivileges?: boolean;
  /** Undefined: unconfined. `runtimeDefaultProfile(capabilities)` or `parseSeccompProfile(json)` of seccomp-profile.ts. */
  seccomp?: SeccompProfile;
  /** Absent capability to raise a limit degrades with a warning. */
  rlimits?: ResourceLimit[];
  oomScoreAdj?: number;
  /** A terminal of the container's own devpts as stdin, stdout and stderr. */
  tty?: boolean;
}

export interface ContainerSpec {
  id: string;
  /**
   * A directory of the container's own, which exists, on a file system that survives the daemon. The shim keeps here:
   * `plan`, `running` (pids), `exit` (the exit record), `control` (its socket), `failed` (why it did not start).
   */
  stateDir: string;
  /** Shown by ps after `podwright-shim ID`, such as `default/web/nginx`. */
  label?: string;
  /** The CRI log file, made when missing (mode 0640). Undefined: output is not kept. */
  logPath?: string;
  namespaces: {
    network: NamespaceChoice;
    ipc: NamespaceChoice;
    uts: NamespaceChoice;
    /** `new`, `host`, or the sandbox's (`/proc/PAUSE/ns/pid`). */
    pid: NamespaceChoice;
    /** Default `new`. */
    cgroup?: NamespaceChoice;
  };
  rootfs: RootFileSystem;
  readOnlyRootfs?: boolean;
  /** In the order to mount them. A target below /proc or /sys is allowed only where the container is privileged. */
  mounts?: ContainerMount[];
  tmpfs?: TmpfsMount[];
  /** The sandbox's /dev/shm on the host (a tmpfs that the sandbox's containers share). Undefined: one of its own, 64 MiB. */
  shmDirectory?: string;
  devices?: ContainerDevice[];
  /** All devices of the host, /sys and cgroups writable, nothing masked. Capabilities and seccomp are given apart. */
  privileged?: boolean;
  /** Default: upstream's lists (masked-paths.ts) where not privileged, else none. */
  maskedPaths?: string[];
  readonlyPaths?: string[];
  process: ProcessSpec;
  /** A pipe to the container's stdin, which attach clients write to; else stdin is /dev/null. Without meaning for a tty. */
  stdin?: boolean;
  /** The end of the first attach client that sent stdin closes the container's stdin. */
  stdinOnce?: boolean;
  cgroup?: {
    /** Of the cgroup to join. */
    entrance?: CgroupEntrance;
    /** The file that lists the container's processes: whom to kill at its end when it has no pid namespace of its own. */
    processesFile?: string;
    /** The file that counts OOM kills (v2 memory.events, v1 memory.oom_control): read at the end for `oomKilled`. */
    oomFile?: string;
    /** The container's cgroup directories as the container sees them: name below /sys/fs/cgroup → directory of the host; `''` is /sys/fs/cgroup itself. */
    directories?: Record<string, string>;
  };
  /** Where the shim itself goes (not into the container's cgroup, whose end it must survive). */
  shimCgroup?: CgroupEntrance;
}

export interface ExecSpec {
  /** The container's process (its pid 1), whose namespaces and root directory are joined. */
  target: { pid: number; startTime: number };
  /** A directory to keep the plan in while it runs. */
  stateDir: string;
  process: ProcessSpec;
  /** Of the container's cgroup. */
  cgroup?: CgroupEntrance;
}
