import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where durable state of all clusters lives; a cluster's own folder may be a link set by `up --state-dir`. */
export const STATE_ROOT = '/var/lib/podwright';
/** Where sockets and pid files of all clusters live; gone after a reboot. */
export const RUN_ROOT = '/run/podwright';

/** Where the CNI plugins are: Debian's and Ubuntu's place for them. */
export const CNI_BIN_DIR = '/usr/lib/cni';

/** A cluster name is a DNS label, short enough for network namespace and socket paths (108 bytes, unix(7)). */
const CLUSTER_NAME = /^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/;

/** Throws a RangeError that tells what a cluster name may be. */
export function checkClusterName(name: string): void {
  if (CLUSTER_NAME.test(name)) return;
  throw new RangeError(
    `invalid cluster name '${name}': it must be lower case letters, digits and '-', at most 30, and begin and end with a letter or digit`,
  );
}

/** Names of the clusters that have state on this host. */
export const clusterNames = (): string[] =>
  existsSync(STATE_ROOT) ? readdirSync(STATE_ROOT).filter((name) => CLUSTER_NAME.test(name)) : [];

/** Every fixed place of one cluster. All are absolute paths; nothing is created. */
export function clusterPaths(name: string) {
  checkClusterName(name);
  const state = join(STATE_ROOT, name);
  const run = join(RUN_ROOT, name);
  return {
    state,
    run,
    clusterFile: join(state, 'cluster.json'),
    kubeconfig: join(state, 'kubeconfig'),
    pki: join(state, 'pki'),
    store: join(state, 'store'),
    images: join(state, 'images'),
    logs: join(state, 'logs'),
    /** Where the disks are; a link when `up --disk-pool` chose another place. */
    cloud: join(state, 'cloud'),
    cloudSocket: join(run, 'cloud.sock'),
    /** Sockets of the controller side of CSI drivers, `<driver>.sock`. */
    csi: join(run, 'csi'),
  };
}

/** Every fixed place of one node. */
export function nodePaths(cluster: string, node: string) {
  const { state, run } = clusterPaths(cluster);
  const nodeState = join(state, 'nodes', node);
  const nodeRun = join(run, node);
  return {
    state: nodeState,
    run: nodeRun,
    kubelet: join(nodeState, 'kubelet'),
    /** Sockets of the node side of CSI drivers, `<driver>/csi.sock`. */
    csiPlugins: join(nodeState, 'kubelet', 'plugins'),
    pluginsRegistry: join(nodeState, 'kubelet', 'plugins_registry'),
    /** What the static local provisioner makes volumes of, a folder for each StorageClass. */
    localDisks: join(nodeState, 'local-disks'),
    runtime: join(nodeState, 'runtime'),
    staticPods: join(nodeState, 'manifests'),
    cniConf: join(nodeState, 'cni'),
    criSocket: join(nodeRun, 'cri.sock'),
    /** Path of the node's cgroup below each controller's root. */
    cgroup: `/podwright/${cluster}/${node}`,
  };
}
