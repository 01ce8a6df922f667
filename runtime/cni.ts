import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { bringUpLoopback } from '../linux/loopback.ts';
import { removeTemporaries } from '../linux/files.ts';
import { trace } from '../linux/trace.ts';
import { listRecords, readRecord, removeRecord, writeRecord } from './cni/attachment-record.ts';
import type { AttachmentRecord } from './cni/attachment-record.ts';
import { CniError } from './cni/cni-error.ts';
import { executePlugin } from './cni/execute-plugin.ts';
import type { Attachment, CniResult, PortMapping } from './cni/execute-plugin.ts';
import { publishHostPorts, withdrawHostPorts } from './cni/host-ports.ts';
import { loadNetworkConfiguration } from './cni/network-configuration.ts';
import { oneByOneFirst } from './cni/one-by-one-first.ts';

export { CniError } from './cni/cni-error.ts';
export { loadNetworkConfiguration } from './cni/network-configuration.ts';
export type { PortMapping } from './cni/execute-plugin.ts';

/** Directories of the node's CNI. */
export interface CniPlaces {
  confDir: string;
  binDir: string;
  /** What is attached, one file per sandbox. */
  cacheDir: string;
}

export interface SandboxAttachment extends CniPlaces {
  sandboxId: string;
  netnsPath: string;
  podName: string;
  podNamespace: string;
  podUid: string;
  hostPorts: PortMapping[];
}

const ifName = 'eth0';
const atOnce = oneByOneFirst(Math.max(4, availableParallelism()));
const log = trace('cni');

/**
 * Attaches a sandbox's network namespace to the Pod network by the CNI plugins of the conf directory, in the order of the
 * list, each given its predecessor's result (CNI spec 1.0.0, section 3), and brings its loopback up. Runs in the node's network namespace.
 *
 * Returns the Pod's addresses without prefix, the primary one first. On failure everything is undone and CniError
 * carries the plugin's message; what could not be undone stays recorded, for removeSandboxFromNetwork to try again.
 */
export async function addSandboxToNetwork(options: SandboxAttachment): Promise<{ ips: string[] }> {
  const { cacheDir, sandboxId, netnsPath, binDir } = options;
  bringUpLoopback(netnsPath);
  const record = newRecord(options);
  writeRecord(cacheDir, record);
  try {
    const result = await atOnce(() => addAll(attachmentOf(record, { binDir, netnsPath })));
    writeRecord(cacheDir, { ...record, result });
    const addresses = (result.ips ?? []).map(({ address }) => address);
    if (addresses.length === 0) throw new CniError('the CNI plugins returned no address');
    if (!pluginsPublishPorts(record)) await publishHostPorts(hostPortsOf(record, result));
    log('sandbox attached', { sandboxId, addresses });
    return { ips: addresses.map((address) => address.replace(/\/.*/, '')) };
  } catch (error) {
    throw await undone(error, () => removeSandboxFromNetwork(options));
  }
}

/**
 * Detaches a sandbox: host ports, then the plugins in reverse order with the remembered result. Idempotent, also for a
 * sandbox that was never attached or whose namespace is gone (CNI spec 1.0.0, DEL: "should complete without error even if
 * some resources are missing"). Throws CniError when a plugin fails; the record stays, so that it can be tried again.
 */
export async function removeSandboxFromNetwork(
  options: CniPlaces & { sandboxId: string; netnsPath?: string | undefined },
): Promise<void> {
  const { cacheDir, binDir, sandboxId, netnsPath = '' } = options;
  const record = await recordOf(options);
  if (record === undefined) return;
  if (record.result !== undefined && !pluginsPublishPorts(record)) {
    await withdrawHostPorts(hostPortsOf(record, record.result));
  }
  const attachment = attachmentOf(record, { binDir, netnsPath: existsSync(netnsPath) ? netnsPath : '' });
  for (const plugin of record.configuration.plugins.toReversed()) {
    await executePlugin({ command: 'DEL', plugin, attachment, prevResult: record.result });
  }
  removeRecord(cacheDir, sandboxId);
  log('sandbox detached', { sandboxId });
}

/**
 * The sandboxes that are, or may be, attached. A runtime compares them with its own after a start and removes the rest:
 * it may have been killed between ADD and its own record.
 */
export function listAttachedSandboxes({ cacheDir }: Pick<CniPlaces, 'cacheDir'>): string[] {
  removeTemporaries(cacheDir);
  return listRecords(cacheDir);
}

/**
 * A power cut may have left a record without its bytes, for it is not synced. What outlives the cut are the addresses that plugins keep
 * on the disk, and these they find by the sandbox's id.
 */
async function recordOf(options: CniPlaces & { sandboxId: string }): Promise<AttachmentRecord | undefined> {
  try {
    return await readRecord(options.cacheDir, options.sandboxId);
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof SyntaxError)) throw error;
    return newRecord({ ...options, podName: '', podNamespace: '', podUid: '', hostPorts: [] });
  }
}

function newRecord(options: Omit<SandboxAttachment, 'netnsPath'>): AttachmentRecord {
  const { sandboxId, podName, podNamespace, podUid } = options;
  return {
    version: 1,
    containerId: sandboxId,
    ifName,
    configuration: loadNetworkConfiguration(options.confDir),
    // The names that Kubernetes' runtimes agree on; IgnoreUnknown lets plugins that know none of them work.
    cniArgs: [
      ['IgnoreUnknown', '1'],
      ['K8S_POD_NAMESPACE', podNamespace],
      ['K8S_POD_NAME', podName],
      ['K8S_POD_INFRA_CONTAINER_ID', sandboxId],
      ['K8S_POD_UID', podUid],
    ],
    portMappings: options.hostPorts.filter(({ hostPort }) => hostPort > 0),
  };
}

const attachmentOf = (
  record: AttachmentRecord,
  places: { binDir: string; netnsPath: string },
): Attachment => ({
  ...record,
  ...places,
});

async function addAll(attachment: Attachment): Promise<CniResult> {
  let prevResult: CniResult | undefined;
  for (const plugin of attachment.configuration.plugins) {
    prevResult = await executePlugin({ command: 'ADD', plugin, attachment, prevResult });
  }
  if (prevResult === undefined) throw new CniError('the CNI plugins returned no result');
  return prevResult;
}

/** A list with the portmap plugin, or one like it, has said that it publishes the ports itself. */
const pluginsPublishPorts = ({ configuration }: AttachmentRecord): boolean =>
  configuration.plugins.some(({ capabilities }) => capabilities?.['portMappings'] === true);

function hostPortsOf({ portMappings }: AttachmentRecord, result: CniResult) {
  const ipv4 = (result.ips ?? []).find(({ address }) => !address.includes(':'));
  return { address: ipv4?.address ?? '', portMappings: ipv4 === undefined ? [] : portMappings };
}

/** Runs the undo and returns the error to throw: the first one, with what went wrong in the undo behind it. */
async function undone(error: unknown, undo: () => Promise<void>): Promise<Error> {
  const first = error instanceof Error ? error : new Error(String(error));
  try {
    await undo();
    return first;
  } catch (second) {
    const words = second instanceof Error ? second.message : String(second);
    return new CniError(`${first.message}; and undoing it failed: ${words}`, { cause: first });
  }
}
