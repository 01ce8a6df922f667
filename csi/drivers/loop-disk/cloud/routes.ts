import type { Cloud } from './cloud.ts';
import { attachDisk } from './disks/attach-disk.ts';
import type { AttachRequest } from './disks/attach-disk.ts';
import { modifyDisk, resizeDisk } from './disks/change-disk.ts';
import type { ModifyDiskRequest } from './disks/change-disk.ts';
import { createDisk } from './disks/create-disk.ts';
import { deleteDisk } from './disks/delete-disk.ts';
import { detachDisk } from './disks/detach-disk.ts';
import type { DetachRequest } from './disks/detach-disk.ts';
import { getDisk, listDisks, viewDisk } from './disks/get-disk.ts';
import { CloudError } from './errors.ts';
import { deleteInstance, getInstance, putInstance } from './regions/instances.ts';
import type { PutInstanceRequest } from './regions/instances.ts';
import { getZone, listZones, putZone } from './regions/zones.ts';
import type { PutZoneRequest } from './regions/zones.ts';
import { createSnapshot } from './snapshots/create-snapshot.ts';
import { deleteSnapshot } from './snapshots/delete-snapshot.ts';
import { getSnapshot, listSnapshots, viewSnapshot } from './snapshots/get-snapshot.ts';
import {
  createSnapshotGroup,
  deleteSnapshotGroup,
  getSnapshotGroup,
  listSnapshotGroups,
} from './snapshots/groups.ts';
import type { CreateDiskRequest, CreateSnapshotGroupRequest, CreateSnapshotRequest } from './types.ts';

export interface ApiRequest {
  /** The part of the path that a route leaves open: a name or id. */
  name: string;
  query: URLSearchParams;
  /** The JSON object that was sent; what is in it is checked by who uses it. */
  body: object;
}

type Route = (cloud: Cloud, request: ApiRequest) => unknown;

/** The cloud's API. `*` in a path stands for a name or id. */
const routes: Record<string, Route> = {
  'GET /v1/zones': (cloud) => ({ items: listZones(cloud) }),
  'GET /v1/zones/*': (cloud, { name }) => getZone(cloud, name),
  'PUT /v1/zones/*': (cloud, { name, body }) => putZone(cloud, { ...(body as PutZoneRequest), name }),

  'GET /v1/instances': (cloud) => ({ items: cloud.instances.all() }),
  'GET /v1/instances/*': (cloud, { name }) => getInstance(cloud, name),
  'PUT /v1/instances/*': (cloud, { name, body }) =>
    putInstance(cloud, { ...(body as PutInstanceRequest), name }),
  'DELETE /v1/instances/*': (cloud, { name }) => deleteInstance(cloud, name),

  'GET /v1/disks': (cloud, { query }) =>
    listDisks(cloud, { ...pageQuery(query), ...pick(query, 'name', 'zone') }),
  'POST /v1/disks': async (cloud, { body }) =>
    viewDisk(cloud, await createDisk(cloud, body as CreateDiskRequest)),
  'GET /v1/disks/*': (cloud, { name, query }) =>
    getDisk(cloud, name, { waitMs: numberIn(query, 'waitMs') ?? 0 }),
  'PATCH /v1/disks/*': (cloud, { name, body }) => modifyDisk(cloud, name, body as ModifyDiskRequest),
  'DELETE /v1/disks/*': (cloud, { name }) => deleteDisk(cloud, name),
  'POST /v1/disks/*/attach': (cloud, { name, body }) => attachDisk(cloud, name, body as AttachRequest),
  'POST /v1/disks/*/detach': (cloud, { name, body }) => detachDisk(cloud, name, body as DetachRequest),
  'POST /v1/disks/*/resize': (cloud, { name, body }) =>
    resizeDisk(cloud, name, (body as { sizeBytes: number }).sizeBytes),

  'GET /v1/snapshots': (cloud, { query }) =>
    listSnapshots(cloud, { ...pageQuery(query), ...pick(query, 'disk') }),
  'POST /v1/snapshots': async (cloud, { body }) =>
    viewSnapshot(cloud, await createSnapshot(cloud, body as CreateSnapshotRequest)),
  'GET /v1/snapshots/*': (cloud, { name }) => getSnapshot(cloud, name),
  'DELETE /v1/snapshots/*': (cloud, { name }) => deleteSnapshot(cloud, name),

  'GET /v1/snapshot-groups': (cloud, { query }) => listSnapshotGroups(cloud, pageQuery(query)),
  'POST /v1/snapshot-groups': (cloud, { body }) =>
    createSnapshotGroup(cloud, body as CreateSnapshotGroupRequest),
  'GET /v1/snapshot-groups/*': (cloud, { name }) => getSnapshotGroup(cloud, name),
  'DELETE /v1/snapshot-groups/*': (cloud, { name }) => deleteSnapshotGroup(cloud, name),
};

/** Finds the route of a method and path. Throws NO_SUCH_ROUTE. */
export function findRoute(method: string, path: string): { route: Route; name: string } {
  const [, version = '', kind = '', name, ...rest] = path.split('/');
  const pattern = `/${[version, kind, ...(name === undefined ? [] : ['*']), ...rest].join('/')}`;
  const route = routes[`${method} ${pattern}`];
  if (route === undefined) throw new CloudError('NO_SUCH_ROUTE', `there is no ${method} ${path}`);
  return { route, name: decodeURIComponent(name ?? '') };
}

function pageQuery(query: URLSearchParams): { limit?: number; token?: string } {
  const limit = numberIn(query, 'limit');
  return { ...(limit === undefined ? {} : { limit }), ...pick(query, 'token') };
}

function pick<Name extends string>(query: URLSearchParams, ...names: Name[]): { [Key in Name]?: string } {
  const found = names.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value]];
  });
  return Object.fromEntries(found) as { [Key in Name]?: string };
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,10}$/.test(text))
    throw new CloudError('INVALID_PARAMETER', `${name} '${text}' is not a whole number`);
  return Number(text);
}
