import { readdirSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import type { Node, PersistentVolume, StorageClass } from '../../api/types.ts';
import { isAlreadyExists } from '../../client/errors.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { persistentVolumes } from '../../client/resources.ts';
import { hasCode } from '../../linux/system-error.ts';
import { inspectDisk, kindOf } from './inspect-disk.ts';
import { localVolume, reclaimPolicyOf, volumeNameFor } from './local-volume.ts';
import type { LocalClassOptions, Provisioner } from './provisioner.ts';
import { classFolders } from './watch-directories.ts';

/** Makes a volume of each disk that has none; answers why some can't be made. */
export const discover = async (provisioner: Provisioner): Promise<string[]> => {
  const node = provisioner.nodeOf();
  if (node === undefined) return [`node ${provisioner.nodeName} isn't registered yet`];
  const warnings: string[] = [];
  for (const [className, folder] of classFolders(provisioner.discoveryDir)) {
    const storageClass = provisioner.classOf(className);
    const refusal = refusalOf(className, storageClass);
    if (storageClass === undefined || refusal !== undefined) {
      warnings.push(refusal ?? '');
      continue;
    }
    for (const fileName of entriesOf(folder, provisioner.classes[className]))
      try {
        await ensureVolume({ fileName, path: join(folder, fileName), node, storageClass }, provisioner);
      } catch (error) {
        warnings.push(error instanceof Error ? error.message : String(error));
      }
  }
  return warnings;
};

const refusalOf = (className: string, storageClass: StorageClass | undefined): string | undefined => {
  if (storageClass === undefined)
    return `failed to get ReclaimPolicy from storage class "${className}": storageclass.storage.k8s.io "${className}" not found`;
  const policy = reclaimPolicyOf(storageClass);
  if (policy === 'Retain' || policy === 'Delete') return undefined;
  return `unsupported ReclaimPolicy "${policy}" from storage class "${className}", supported policy are Retain and Delete`;
};

const entriesOf = (folder: string, { namePattern = '*' }: LocalClassOptions = {}): string[] => {
  const patterns = namePattern.split(',').filter((pattern) => pattern !== '');
  try {
    return readdirSync(folder).filter((name) => patterns.some((pattern) => matchesGlob(name, pattern)));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
};

interface Candidate {
  fileName: string;
  path: string;
  node: Node;
  storageClass: StorageClass;
}

const ensureVolume = async (candidate: Candidate, provisioner: Provisioner): Promise<void> => {
  const { fileName, path, node, storageClass } = candidate;
  const className = storageClass.metadata?.name ?? '';
  const { namePattern: _, blockCleanerCommand: _1, ...options } = provisioner.classes[className] ?? {};
  const kind = kindOf(path);
  const name = volumeNameFor({ fileName, nodeName: provisioner.nodeName, className });
  const present = provisioner.volumeOf(name);
  if (present !== undefined) return checkMode(present, { kind, path, recorder: provisioner.recorder });
  if (provisioner.cleaning.has(name)) return;
  const others = provisioner.ownVolumes().filter(({ spec }) => spec?.local?.path === path);
  if (others.length > 0)
    throw new Error(
      `Volume path already in use: PV "${name}" wants path "${path}" which was already found in ` +
        `"${others.map(({ metadata }) => metadata?.name ?? '').join()}".`,
    );
  if (kind === 'directory' && options.volumeMode === 'Block')
    throw new Error(`path "${path}" of filesystem mode cannot be used to create block volume`);
  const { capacityBytes } = await inspectDisk(path);
  await createVolume(
    localVolume({ node, storageClass, fileName, path, capacityBytes, ...options }),
    provisioner,
  );
};

/** A block volume whose device has become a directory can't be used; its volume tells so. */
const checkMode = (
  volume: PersistentVolume,
  { kind, path, recorder }: { kind: string; path: string; recorder: EventRecorder },
): void => {
  if (volume.spec?.volumeMode !== 'Block' || kind !== 'directory') return;
  const name = volume.metadata?.name ?? '';
  const message = `incorrect Volume Mode: PV "${name}" requires block mode but path "${path}" was in fs mode`;
  recorder.event({ object: volume, type: 'Warning', reason: 'VolumeFailedDelete', message });
  throw new Error(message);
};

const createVolume = async (object: PersistentVolume, { client, log }: Provisioner): Promise<void> => {
  try {
    await client.resource(persistentVolumes).create({ object });
    log.info({ volume: object.metadata?.name, path: object.spec?.local?.path }, 'made a local volume');
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
};
