import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Programs that a cluster runs, and the Debian/Ubuntu package of each. */
const PROGRAMS: Record<string, string> = {
  nsenter: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  skopeo: 'skopeo',
  umoci: 'umoci',
  git: 'git',
};

const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'];

/** Throws one error that lists everything the host lacks, each with its remedy. */
export function checkHost(): void {
  const lacking = [...missingKernelFeatures(), ...missingPrograms()];
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

function missingPrograms(): string[] {
  return Object.entries(PROGRAMS)
    .filter(([program]) => !isOnPath(program))
    .map(([program, pkg]) => `${program} is missing (package ${pkg}; scripts/setup installs it)`);
}

const isOnPath = (program: string): boolean =>
  `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(':').some((dir) => isExecutable(join(dir, program)));

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // the answer, not a failure
  }
}
