import { readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { GitRepoVolumeSource } from '../../api/types.ts';
import { quote } from '../../api/go-format.ts';
import { tearDownDirectory } from './empty-dir.ts';
import { allowedProtocols, git } from './git.ts';
import { applyFsGroupInSlices, fsGroupOf } from './ownership.ts';
import type { VolumePlugin } from './plugin.ts';
import { isReady, setReady } from './ready-file.ts';
import { emptyDirectory } from './remove-tree.ts';
import { makeVolumeDirectory } from './volume-directory.ts';

/**
 * A git repository, cloned once into a directory on the node's disk.
 *
 * Upstream switched this type off (KEP-5040) because a repository could run code as root on the node through hooks and
 * submodules, and read other repositories of the node by path (CVE-2024-10220, CVE-2025-1767). Here git runs without
 * hooks, filters, submodules, credentials or any configuration, and speaks network protocols only (git.ts).
 */
export const gitRepoPlugin: VolumePlugin = {
  name: 'kubernetes.io/git-repo',
  canSupport: ({ volume }) => volume.gitRepo !== undefined,
  requiresRemount: false,
  readOnly: false,

  async setUp({ volume, pod, directory, metaDirectory, signal }) {
    if (isReady(metaDirectory)) return undefined;
    const source = volume.gitRepo ?? { repository: '' };
    checkSource(source);
    makeVolumeDirectory(directory);
    // What a clone that failed or was cut short has left; git refuses to clone into it.
    await emptyDirectory(directory);
    await clone({ source, directory, signal });
    await applyFsGroupInSlices({ directory, fsGroup: fsGroupOf(pod), readOnly: false });
    setReady(metaDirectory);
    return undefined;
  },

  tearDown: tearDownDirectory,
};

/** Throws Error for what could be taken for an option, leaves the volume, or reads the node's own files. */
const checkSource = ({ repository, revision = '', directory = '' }: GitRepoVolumeSource): void => {
  for (const [name, value] of Object.entries({ repository, revision, directory })) {
    if (value.startsWith('-')) throw new Error(`${quote(value)} is an invalid value for ${name}`);
  }
  const clean = posix.normalize(directory);
  if (directory.startsWith('/') || directory.split('/').includes('..')) {
    throw new Error(`${quote(directory)} is not a valid directory, it must not contain '..'`);
  }
  if (revision !== '' && directory !== '' && clean.includes('/')) {
    throw new Error(
      `${quote(directory)} is not a valid directory, it must not contain a directory separator`,
    );
  }
  const [, protocol = ''] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(repository) ?? [];
  if (!allowedProtocols.includes(protocol.toLowerCase())) {
    const allowed = allowedProtocols.map((name) => `${name}://`).join(', ');
    throw new Error(
      `repository ${quote(repository)} is not allowed: it must be reached by one of ${allowed}`,
    );
  }
};

interface Clone {
  source: GitRepoVolumeSource;
  directory: string;
  signal: AbortSignal;
}

const clone = async ({ source, directory: volume, signal }: Clone): Promise<void> => {
  const { repository, revision = '', directory = '' } = source;
  const target = directory === '' ? [] : [directory];
  await git({ args: ['clone', '--', repository, ...target], cwd: volume, signal });
  if (revision === '') return;
  const cwd = posix.normalize(directory) === '.' && directory !== '' ? volume : onlyFolderIn(volume);
  await git({ args: ['checkout', revision], cwd, signal });
  await git({ args: ['reset', '--hard'], cwd, signal });
};

const onlyFolderIn = (volume: string): string => {
  const names = readdirSync(volume);
  const [name = ''] = names;
  const path = join(volume, name);
  if (names.length !== 1 || !statSync(path).isDirectory()) {
    throw new Error(`unexpected directory contents: [${names.join(' ')}]`);
  }
  return path;
};
