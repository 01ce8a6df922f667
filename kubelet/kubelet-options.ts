import type { Taint } from '../api/types.ts';
import type { Client } from '../client/rest.ts';
import type { Clock } from '../client/clock.ts';
import type { KubeletLog } from './kubelet-log.ts';
import type { Amounts } from './resources/amounts.ts';
import type { CgroupTree } from './resources/pod-cgroups.ts';

/** What a kubelet is started with. */
export interface KubeletOptions {
  nodeName: string;
  nodeIp: string;
  client: Client;
  /** The unix socket of the container runtime. */
  criSocket: string;
  /** `<node state>/kubelet`; Pods live in `pods/<uid>` below. */
  rootDir: string;
  /** Where the Pods' logs are; `logs/pods` beside rootDir when left out. */
  logDir?: string;
  podCidr?: string;
  /** The node's cgroup, such as /podwright/default/node-1. */
  cgroupRoot: string;
  cgroups?: CgroupTree;
  /** PEM; without it the HTTPS API is not served. */
  tls?: KubeletTls;
  /** 10250 when left out; 0 takes any free port. */
  port?: number;
  /** The folder of static Pods; none are followed when left out. */
  staticPodDir?: string;
  labels?: Record<string, string>;
  taints?: Taint[];
  /** Addresses of the cluster's DNS; without them Pods get the node's. */
  clusterDns?: string[];
  clusterDomain?: string;
  log: KubeletLog;
  clock?: Clock;
  config?: Partial<KubeletConfig>;
}

export interface KubeletTls {
  cert: string;
  key: string;
  /** Whose client certificates are accepted. */
  clientCa: string;
}

/** The parts of KubeletConfiguration that there are, with upstream's names and defaults. */
export interface KubeletConfig {
  maxPods: number;
  /** -1: no limit. */
  podPidsLimit: number;
  containerLogMaxSize: string;
  containerLogMaxFiles: number;
  nodeStatusUpdateFrequencyMs: number;
  nodeStatusReportFrequencyMs: number;
  nodeLeaseDurationSeconds: number;
  /** Kept from Pods, beside what eviction keeps. */
  systemReserved: Amounts;
  /** The node's own resolv.conf. */
  resolvConf: string;
  imageGCHighThresholdPercent: number;
  imageGCLowThresholdPercent: number;
  crashLoopBackOffMaxMs: number;
}

export const defaultConfig: KubeletConfig = {
  maxPods: 110,
  podPidsLimit: -1,
  containerLogMaxSize: '10Mi',
  containerLogMaxFiles: 5,
  nodeStatusUpdateFrequencyMs: 10_000,
  nodeStatusReportFrequencyMs: 300_000,
  nodeLeaseDurationSeconds: 40,
  systemReserved: {},
  resolvConf: '/etc/resolv.conf',
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  crashLoopBackOffMaxMs: 300_000,
};
