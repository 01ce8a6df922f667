import { createHash } from 'node:crypto';
import { accessSync, readFileSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../linux/command.ts';
import { diskUsageOf } from '../../linux/disk-usage.ts';
import { CriError } from '../errors.ts';
import type { ImageConfig, ImageRecord } from './image.ts';
import type { ImageStore } from './image-store.ts';
import { digestName, parseReference } from './reference.ts';

export const busyboxName = 'docker.io/library/busybox:latest';

/** Changes to the tree, for images that are a little more than busybox. */
export interface BusyboxVariant {
  /** `docker.io/library/busybox:latest` when not given. */
  name?: string;
  config?: ImageConfig;
  /** Text files by their path in the image. */
  files?: Record<string, string>;
}

/**
 * Makes an image from the host's static busybox, with a link for every applet, so that `image: busybox` runs with no
 * registry. The same busybox gives the same image id. Throws FAILED_PRECONDITION when no static busybox is installed.
 */
export async function buildBusybox(store: ImageStore, variant: BusyboxVariant = {}): Promise<ImageRecord> {
  const { name = busyboxName, config = {}, files = {} } = variant;
  const program = findBusybox();
  await using tree = await store.incoming();
  const rootfs = join(tree.path, 'rootfs');
  await makeTree(rootfs, program, files);
  const layer = await layerDigest(rootfs);
  const image = describe({ layer, config: { ...defaultConfig, ...config }, name });
  const usage = await diskUsageOf(rootfs);
  await run('sync', ['--file-system', rootfs]);
  const record = {
    ...image,
    sizeBytes: usage.usedBytes,
    unpackedBytes: usage.usedBytes,
    unpackedInodes: usage.inodes,
  };
  await store.publish(record, tree.path);
  return record;
}

const defaultConfig: ImageConfig = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  Cmd: ['sh'],
};

const candidates = ['/bin/busybox', '/usr/bin/busybox', '/usr/local/bin/busybox'];

function findBusybox(): string {
  const found = candidates.filter(exists).find((path) => isStatic(readFileSync(path)));
  if (found !== undefined) return found;
  throw new CriError(
    'FAILED_PRECONDITION',
    'no static busybox on this host (Debian and Ubuntu: busybox-static)',
  );
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false; // not installed there
  }
}

const PT_INTERP = 3;

/** True for a 64-bit ELF program that asks for no dynamic loader (elf(5)). */
export function isStatic(program: Buffer): boolean {
  const offset = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  const count = program.readUInt16LE(56);
  return Array.from({ length: count }, (_, entry) => program.readUInt32LE(offset + entry * size)).every(
    (type) => type !== PT_INTERP,
  );
}

const directories = [
  'bin',
  'dev',
  'etc',
  'home',
  'proc',
  'root',
  'sbin',
  'sys',
  'tmp',
  'usr/bin',
  'usr/sbin',
  'var/spool',
  'var/www',
];

const texts: Record<string, string> = {
  'etc/passwd': [
    'root:x:0:0:root:/root:/bin/sh',
    'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
    'www-data:x:33:33:www-data:/var/www:/bin/false',
    'nobody:x:65534:65534:nobody:/home:/bin/false',
    '',
  ].join('\n'),
  'etc/group': [
    'root:x:0:',
    'daemon:x:1:',
    'tty:x:5:',
    'www-data:x:33:',
    'users:x:100:',
    'nogroup:x:65534:',
    '',
  ].join('\n'),
  'etc/nsswitch.conf': 'hosts: files dns\n',
};

async function makeTree(rootfs: string, program: string, files: Record<string, string>): Promise<void> {
  for (const directory of directories) await mkdir(join(rootfs, directory), { recursive: true, mode: 0o755 });
  await chmod(rootfs, 0o755);
  await chmod(join(rootfs, 'tmp'), 0o1777);
  await chmod(join(rootfs, 'root'), 0o700);
  await copyFile(program, join(rootfs, 'bin/busybox'));
  await chmod(join(rootfs, 'bin/busybox'), 0o755);
  await linkApplets(rootfs, program);
  for (const [path, text] of Object.entries({ ...texts, ...files })) {
    await mkdir(dirname(join(rootfs, path)), { recursive: true });
    await writeFile(join(rootfs, path), text, { mode: 0o644 });
  }
}

// As in the official image every applet is a hard link in /bin (so that one can be masked alone); scripts also look for some where other systems have them.
async function linkApplets(rootfs: string, program: string): Promise<void> {
  const { stdout } = await run(program, ['--list-full']);
  const usual = stdout.split('\n').filter((path) => /^(bin|sbin|usr\/bin|usr\/sbin)\//.test(path));
  const paths = new Set([...usual, ...usual.map((path) => `bin/${path.slice(path.lastIndexOf('/') + 1)}`)]);
  paths.delete('bin/busybox');
  await Promise.all([...paths].map((path) => link(join(rootfs, 'bin/busybox'), join(rootfs, path))));
}

// What the tree is as a layer, with the times and owners that would differ from run to run left out.
async function layerDigest(rootfs: string): Promise<string> {
  const layer = `${rootfs}.tar`;
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  await run('tar', [...same, '-C', rootfs, '-cf', layer, '.']);
  const digest = sha256(readFileSync(layer));
  await rm(layer);
  return digest;
}

const sha256 = (data: string | Buffer): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

function describe({
  layer,
  config,
  name,
}: {
  layer: string;
  config: ImageConfig;
  name: string;
}): ImageRecord {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const id = sha256(
    JSON.stringify({ architecture, os: 'linux', config, rootfs: { type: 'layers', diff_ids: [layer] } }),
  );
  const manifest = sha256(JSON.stringify({ schemaVersion: 2, config: id, layers: [layer] }));
  const digests = [digestName(parseReference(name), manifest)];
  return {
    id,
    tags: [name],
    digests,
    sizeBytes: 0,
    unpackedBytes: 0,
    unpackedInodes: 0,
    config,
    pinned: false,
    local: true,
  };
}
