import { join } from 'node:path';
import test from 'ava';
import { checkHost } from '../../cluster/preflight.ts';
import { inMountNamespace } from '../environment.ts';

const preflight = JSON.stringify(join(import.meta.dirname, '../../cluster/preflight.ts'));

/** What checkHost() says where something is mounted over a part of the host. */
const saysWith = (mounts: string): string =>
  inMountNamespace(
    `const { checkHost } = await import(${preflight});
    process.stdout.write(await checkHost().then(() => 'nothing', ({ message }) => message));`,
    { propagation: 'private', first: mounts },
  );

test('a host that runs the tests lacks nothing', async (t) => {
  await t.notThrowsAsync(checkHost());
});

test('every CNI plugin that a node uses is looked for', (t) => {
  const line = (plugin: string) =>
    `the CNI plugin /usr/lib/cni/${plugin} is missing (package containernetworking-plugins; scripts/setup installs it)`;
  t.is(
    saysWith('-t tmpfs none /usr/lib/cni'),
    `this host can't run a cluster: ${line('bridge')}; ${line('host-local')}`,
  );
});

test('mkfs.ext4 is looked for, with which disks are formatted', (t) => {
  t.is(
    saysWith('--bind /dev/null "$(realpath "$(command -v mkfs.ext4)")"'),
    "this host can't run a cluster: mkfs.ext4 is missing (package e2fsprogs; scripts/setup installs it)",
  );
});

test('links that the kernel can not make are told, each with its remedy', (t) => {
  // An ip that fails plays the kernel: no module can be taken out of one.
  const script =
    '-t tmpfs none /sys/module && printf "#!/bin/sh\\necho Error: Unknown device type. >&2; exit 2" >/sys/module/ip';
  const line = (kind: string) =>
    `no ${kind} link can be made (Error: Unknown device type.; try 'modprobe ${kind}')`;
  t.is(
    saysWith(
      `${script} && chmod +x /sys/module/ip && mount --bind /sys/module/ip "$(realpath "$(command -v ip)")"`,
    ),
    `this host can't run a cluster: ${line('bridge')}; ${line('veth')}`,
  );
});
