import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../linux/command.ts';

/** Debian's names; catatonit is what podman makes its pause image of. */
const packages = ['crun', 'podman', 'catatonit', 'conmon', 'containernetworking-plugins'];

/** Installs what is missing of the peers. Throws CommandError where apt-get can't. */
export const installPeers = async (): Promise<void> => {
  const missing: string[] = [];
  for (const name of packages) {
    await run('dpkg-query', ['--show', name]).catch(() => missing.push(name));
  }
  if (missing.length === 0) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { env });
  await run('apt-get', ['install', '--yes', '--no-install-recommends', ...missing], { env });
};

/** Milliseconds of `crun run` of /bin/true in Debian's busybox, each a fresh container. */
export const crunTimes = (runs: number): Promise<number[]> =>
  inPeerNamespace(`
    ${makeRootfs}
    (cd bundle && crun spec)
    sed -i 's/"terminal": true/"terminal": false/; s|"sh"|"/bin/true"|' bundle/config.json
    for i in $(seq 1 $((${runs} + 2))); do
      start=$(date +%s%N)
      crun run --bundle bundle "$id-$i" </dev/null
      [ "$i" -le 2 ] || echo $(($(date +%s%N) - start))
    done`);

/** Milliseconds of `podman kube play` of a pod that sleeps; its image and podman's pause image are there. */
export const podmanTimes = (runs: number): Promise<number[]> =>
  inPeerNamespace(`
    ${makeRootfs}
    limit=$(ulimit -Hn)
    printf '[engine]\\ncgroup_manager="cgroupfs"\\nevents_logger="file"\\nruntime="crun"\\n[containers]\\n' > containers.conf
    printf 'default_ulimits=["nofile=%s:%s","nproc=4096:4096"]\\n' "$limit" "$limit" >> containers.conf
    printf '[network]\\nnetwork_config_dir="%s"\\n' "$PWD/networks" >> containers.conf
    export CONTAINERS_CONF=$PWD/containers.conf
    podman="podman --root $PWD/root --runroot $PWD/run --storage-driver overlay"
    tar -C bundle/rootfs -c . | $podman import - localhost/busybox:latest >/dev/null 2>&1
    cat > pod.yaml <<EOF
apiVersion: v1
kind: Pod
metadata: {name: $id}
spec:
  containers:
  - {name: main, image: "localhost/busybox:latest", imagePullPolicy: Never, command: [/bin/sleep, "100000"]}
EOF
    for i in $(seq 1 $((${runs} + 2))); do
      start=$(date +%s%N)
      $podman kube play pod.yaml >/dev/null
      [ "$i" -le 2 ] || echo $(($(date +%s%N) - start))
      $podman kube down pod.yaml >/dev/null
    done
    $podman rmi --all --force >/dev/null
    find /sys/fs/cgroup -depth -type d -path '*libpod_parent*' -exec rmdir {} + 2>/dev/null || true`);

const makeRootfs = `
    mkdir -p bundle/rootfs/bin bundle/rootfs/proc bundle/rootfs/sys bundle/rootfs/dev
    cp /bin/busybox bundle/rootfs/bin/
    for name in true sleep sh; do ln -sf busybox bundle/rootfs/bin/$name; done`;

/**
 * Runs a script in a private mount namespace and reads nanoseconds from its output. Both peers refuse a hybrid
 * cgroup host; with the unified hierarchy unmounted they see a v1 host. The network is private too, because podman
 * leaves its bridge and its rules behind.
 */
const inPeerNamespace = async (script: string): Promise<number[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'podwright-peer-'));
  const file = join(folder, 'script');
  const prologue = `set -eu; id=peer-${process.pid}; umount /sys/fs/cgroup/unified 2>/dev/null || true; cd ${folder}`;
  writeFileSync(file, `${prologue}\n${script}\n`);
  try {
    const { stdout } = await run('unshare', ['--mount', '--net', '--propagation', 'private', 'bash', file]);
    return stdout
      .split('\n')
      .filter((line) => /^\d+$/.test(line))
      .map((line) => Number(line) / 1e6);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
