import { Agent, request as httpRequest } from 'node:http';
import { hasCode } from '../../../../linux/system-error.ts';
import type { AttachRequest } from './disks/attach-disk.ts';
import type { DetachRequest } from './disks/detach-disk.ts';
import type { ListDisksQuery } from './disks/get-disk.ts';
import { CloudError, cloudErrors } from './errors.ts';
import type { CloudErrorCode } from './errors.ts';
import type { ListSnapshotsQuery } from './snapshots/get-snapshot.ts';
import type { ModifyDiskRequest } from './disks/change-disk.ts';
import type {
  CreateDiskRequest,
  CreateSnapshotGroupRequest,
  CreateSnapshotRequest,
  DiskView,
  Instance,
  Page,
  SnapshotGroupView,
  SnapshotView,
  Zone,
} from './types.ts';

/** The cloud could not be asked: it is not there, or hung up. */
export class CloudUnreachable extends Error {
  override readonly name = 'CloudUnreachable';
}

/** The cloud's API as functions. They reject with CloudError (the cloud's answer) or CloudUnreachable. */
export interface CloudClient {
  listZones(): Promise<Zone[]>;
  getZone(name: string): Promise<Zone>;
  putZone(name: string, zone: { region: string; capacityBytes?: number }): Promise<Zone>;
  putInstance(name: string, instance: { zone: string; maxDisks?: number }): Promise<Instance>;
  getInstance(name: string): Promise<Instance>;
  createDisk(request: CreateDiskRequest): Promise<DiskView>;
  listDisks(query?: ListDisksQuery): Promise<Page<DiskView>>;
  getDisk(id: string, options?: { waitMs?: number }): Promise<DiskView>;
  modifyDisk(id: string, request: ModifyDiskRequest): Promise<DiskView>;
  deleteDisk(id: string): Promise<void>;
  attachDisk(id: string, request: AttachRequest): Promise<DiskView>;
  detachDisk(id: string, request: DetachRequest): Promise<DiskView>;
  resizeDisk(id: string, sizeBytes: number): Promise<DiskView>;
  createSnapshot(request: CreateSnapshotRequest): Promise<SnapshotView>;
  listSnapshots(query?: ListSnapshotsQuery): Promise<Page<SnapshotView>>;
  getSnapshot(id: string): Promise<SnapshotView>;
  deleteSnapshot(id: string): Promise<void>;
  createSnapshotGroup(request: CreateSnapshotGroupRequest): Promise<SnapshotGroupView>;
  getSnapshotGroup(id: string): Promise<SnapshotGroupView>;
  deleteSnapshotGroup(id: string): Promise<void>;
  close(): void;
}

/** Connections are made when they are needed and kept. */
export function connectCloud(socketPath: string): CloudClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const call = async <Answer>(method: string, path: string, body?: object): Promise<Answer> =>
    (await ask({ socketPath, agent, method, path, ...(body === undefined ? {} : { body }) })) as Answer;
  const id = encodeURIComponent;
  return {
    listZones: async () => (await call<{ items: Zone[] }>('GET', '/v1/zones')).items,
    getZone: (name) => call('GET', `/v1/zones/${id(name)}`),
    putZone: (name, zone) => call('PUT', `/v1/zones/${id(name)}`, zone),
    putInstance: (name, instance) => call('PUT', `/v1/instances/${id(name)}`, instance),
    getInstance: (name) => call('GET', `/v1/instances/${id(name)}`),
    createDisk: (request) => call('POST', '/v1/disks', request),
    listDisks: (query = {}) => call('GET', `/v1/disks${search(query)}`),
    getDisk: (disk, options = {}) => call('GET', `/v1/disks/${id(disk)}${search(options)}`),
    modifyDisk: (disk, request) => call('PATCH', `/v1/disks/${id(disk)}`, request),
    deleteDisk: (disk) => call('DELETE', `/v1/disks/${id(disk)}`),
    attachDisk: (disk, request) => call('POST', `/v1/disks/${id(disk)}/attach`, request),
    detachDisk: (disk, request) => call('POST', `/v1/disks/${id(disk)}/detach`, request),
    resizeDisk: (disk, sizeBytes) => call('POST', `/v1/disks/${id(disk)}/resize`, { sizeBytes }),
    createSnapshot: (request) => call('POST', '/v1/snapshots', request),
    listSnapshots: (query = {}) => call('GET', `/v1/snapshots${search(query)}`),
    getSnapshot: (snapshot) => call('GET', `/v1/snapshots/${id(snapshot)}`),
    deleteSnapshot: (snapshot) => call('DELETE', `/v1/snapshots/${id(snapshot)}`),
    createSnapshotGroup: (request) => call('POST', '/v1/snapshot-groups', request),
    getSnapshotGroup: (group) => call('GET', `/v1/snapshot-groups/${id(group)}`),
    deleteSnapshotGroup: (group) => call('DELETE', `/v1/snapshot-groups/${id(group)}`),
    close: () => agent.destroy(),
  };
}

function search(query: object): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined) as [
    string,
    string | number,
  ][];
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}

interface Call {
  socketPath: string;
  agent: Agent;
  method: string;
  path: string;
  body?: object;
}

/** Tried again once when a kept connection turns out to be closed: every call of this API may be made twice. */
async function ask(call: Call): Promise<unknown> {
  let answer: { status: number; text: string };
  try {
    answer = await exchange(call).catch((error: unknown) => {
      if (hasCode(error, 'ECONNRESET', 'EPIPE')) return exchange(call);
      throw error;
    });
  } catch (error) {
    throw new CloudUnreachable(`${call.method} ${call.path}: ${(error as Error).message}`, { cause: error });
  }
  const value = parse(answer.text);
  if (answer.status < 300) return value;
  const { code, message } =
    (value as { error?: { code?: string; message?: string } } | undefined)?.error ?? {};
  throw new CloudError(isCode(code) ? code : 'INTERNAL', message ?? `HTTP status ${answer.status}`);
}

const isCode = (code: string | undefined): code is CloudErrorCode =>
  code !== undefined && code in cloudErrors;

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // cut short: shows as an answer without content
  }
}

function exchange({
  socketPath,
  agent,
  method,
  path,
  body,
}: Call): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, agent, method, path }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 500, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
