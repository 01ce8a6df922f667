import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, replaceFile } from '../../linux/files.ts';
import { hasCode } from '../../linux/system-error.ts';
import type { CniResult, PortMapping } from './execute-plugin.ts';
import type { NetworkConfiguration } from './network-configuration.ts';

/**
 * What is remembered of a sandbox's attachment: the configuration as it was at ADD (the file may have changed since) and the
 * result, both of which DEL needs (CNI spec 1.0.0, section 4).
 *
 *     (none) ──▶ written without result ──ADD──▶ with result ──DEL──▶ (none)
 *                      │                                        ▲
 *                      └── killed or failed during ADD ─────────┘
 *
 * A record without a result means that plugins may or may not have done something: DEL has to be tried.
 */
export interface AttachmentRecord {
  version: 1;
  containerId: string;
  ifName: string;
  configuration: NetworkConfiguration;
  cniArgs: [name: string, value: string][];
  portMappings: PortMapping[];
  result?: CniResult;
}

/** Not synced to the disk: after a power cut neither the namespaces nor their interfaces are there any more. */
export function writeRecord(cacheDir: string, record: AttachmentRecord): void {
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  replaceFile(recordPath(cacheDir, record.containerId), JSON.stringify(record));
}

export async function readRecord(
  cacheDir: string,
  containerId: string,
): Promise<AttachmentRecord | undefined> {
  return (await readJson(recordPath(cacheDir, containerId))) as AttachmentRecord | undefined;
}

export function removeRecord(cacheDir: string, containerId: string): void {
  rmSync(recordPath(cacheDir, containerId), { force: true });
}

/** The sandboxes that have a record. */
export function listRecords(cacheDir: string): string[] {
  try {
    return readdirSync(cacheDir).flatMap((name) => /^([^.].*)\.json$/.exec(name)?.[1] ?? []);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function recordPath(cacheDir: string, containerId: string): string {
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(containerId)) throw new Error(`not a container id: ${containerId}`);
  return join(cacheDir, `${containerId}.json`);
}
