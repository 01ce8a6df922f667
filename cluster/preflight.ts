import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, run } from '../linux/command.ts';
import { isExecutable } from '../linux/is-executable.ts';
import { CNI_BIN_DIR } from './paths.ts';

/** Programs that a cluster runs, and the Debian/Ubuntu package of each. */
const PROGRAMS: Record<string, string> = {
  nsenter: 'util-linux',
  unshare: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  skopeo: 'skopeo',
  umoci: 'umoci',
  git: 'git',
  'mkfs.ext4': 'e2fsprogs',
};

/** What a node's CNI configuration names (network/cni-configuration.ts); loopback and host ports are the runtime's own work. */
const CNI_PLUGINS = ['bridge', 'host-local'];

/** Of a cluster's bridge, and of its nodes and Pods. */
const LINKS = ['bridge', 'veth'];

const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'];

/** Throws one error that lists everything the host lacks, each with its remedy. */
export async function checkHost(): Promise<void> {
  const lacking = [
    ...missingKernelFeatures(),
    ...(await missingLinks()),
    ...missingPrograms(),
    ...missingCniPlugins(),
  ];
  if (lacking.length > 0) throw new Error(`this host can't run a cluster: ${lacking.join('; ')}`);
}

function missingKernelFeatures(): string[] {
  const problems = NAMESPACES.filter((kind) => !existsSync(`/proc/self/ns/${kind}`)).map(
    (kind) => `the kernel has no ${kind} namespaces`,
  );
  if (!overlayIsThere()) problems.push("the kernel has no overlay filesystem (try 'modprobe overlay')");
  if (!existsSync('/sys/fs/cgroup')) problems.push('no cgroup filesystem is mounted at /sys/fs/cgroup');
  return problems;
}

/** A module that is not loaded yet is loaded by the first mount, so its file counts too. */
function overlayIsThere(): boolean {
  if (/\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'))) return true;
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const modules = join('/lib/modules', release, 'modules.dep');
  return existsSync(modules) && readFileSync(modules, 'utf8').includes('/overlay.ko');
}

/** A kernel shows no list of what it can make, so what is not seen loaded is made, in a network namespace that goes at once. */
async function missingLinks(): Promise<string[]> {
  if (!['unshare', 'ip'].every(isOnPath)) return []; // told below
  const unseen = LINKS.filter((kind) => !existsSync(`/sys/module/${kind}`));
  return (await Promise.all(unseen.map(tryToMake))).flat();
}

async function tryToMake(kind: string): Promise<string[]> {
  try {
    await run('unshare', ['--net', '--', 'ip', 'link', 'add', 'check', 'type', kind]);
    return [];
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return [`no ${kind} link can be made (${error.stderr.trim()}; try 'modprobe ${kind}')`];
  }
}

function missingCniPlugins(): string[] {
  return CNI_PLUGINS.filter((plugin) => !isExecutable(join(CNI_BIN_DIR, plugin))).map(
    (plugin) =>
      `the CNI plugin ${CNI_BIN_DIR}/${plugin} is missing (package containernetworking-plugins; scripts/setup installs it)`,
  );
}

function missingPrograms(): string[] {
  return Object.entries(PROGRAMS)
    .filter(([program]) => !isOnPath(program))
    .map(([program, pkg]) => `${program} is missing (package ${pkg}; scripts/setup installs it)`);
}

const isOnPath = (program: string): boolean =>
  `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(':').some((dir) => isExecutable(join(dir, program)));
