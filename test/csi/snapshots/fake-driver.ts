import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CsiError } from '../../../csi/error.ts';
import { serveDriver } from '../../../csi/serve.ts';
import { openDriver } from '../../../csi/sidecars/driver.ts';
import type {
  ControllerServiceCapabilityRPCType,
  CreateSnapshotRequest,
  CreateVolumeGroupSnapshotRequest,
  Snapshot,
  VolumeGroupSnapshot,
} from '../../../csi/types.ts';

export const driverName = 'nn.fake.csi.podwright.io';

export interface FakeDriverOptions {
  capabilities?: ControllerServiceCapabilityRPCType[];
}

/**
 * A driver that keeps its snapshots in memory, behind a real socket. `calls` has every call; `fail` makes the next calls of an RPC
 * fail with these errors, one after another.
 */
export const startFakeDriver = async ({
  capabilities = ['CREATE_DELETE_SNAPSHOT', 'LIST_SNAPSHOTS'],
}: FakeDriverOptions = {}) => {
  let unreadyAnswers = 0;
  const dir = mkdtempSync(join(tmpdir(), 'nn-csi-'));
  const socketPath = join(dir, 'csi.sock');
  const snapshots = new Map<string, Snapshot>();
  const groups = new Map<string, VolumeGroupSnapshot>();
  const calls: { rpc: string; request: object }[] = [];
  const failures = new Map<string, (CsiError | 'hang')[]>();
  const answers = new Map<string, number>();

  const called = async (rpc: string, request: object, signal: AbortSignal) => {
    calls.push({ rpc, request });
    const failure = failures.get(rpc)?.shift();
    if (failure === 'hang')
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    else if (failure !== undefined) throw failure;
  };
  const isReady = (id: string) => {
    const answered = answers.get(id) ?? 0;
    answers.set(id, answered + 1);
    return answered >= unreadyAnswers;
  };
  const take = (name: string, sourceVolumeId: string): Snapshot => {
    const id = `id-of-${name}`;
    const known = snapshots.get(id);
    const snapshot: Snapshot = known ?? {
      snapshotId: id,
      sourceVolumeId,
      sizeBytes: 3 * 2 ** 30,
      creationTime: { seconds: 1_700_000_000, nanos: 123_456_000 },
      readyToUse: false,
      groupSnapshotId: '',
    };
    const now = { ...snapshot, readyToUse: isReady(id) };
    snapshots.set(id, now);
    return now;
  };
  const takeGroup = ({ name, sourceVolumeIds }: CreateVolumeGroupSnapshotRequest): VolumeGroupSnapshot => {
    const groupSnapshotId = `id-of-${name}`;
    const members = sourceVolumeIds.map((volume) => ({
      ...take(`${name}-${volume}`, volume),
      groupSnapshotId,
    }));
    for (const member of members) snapshots.set(member.snapshotId, member);
    const group = {
      groupSnapshotId,
      snapshots: members,
      creationTime: { seconds: 1_700_000_000, nanos: 0 },
      readyToUse: members.every(({ readyToUse }) => readyToUse),
    };
    groups.set(groupSnapshotId, group);
    return group;
  };
  const found = (snapshotId: string): Snapshot | undefined => {
    const snapshot = snapshots.get(snapshotId);
    if (snapshot === undefined) return undefined;
    const now = { ...snapshot, readyToUse: snapshot.readyToUse || isReady(snapshotId) };
    snapshots.set(snapshotId, now);
    return now;
  };

  const serve = () =>
    serveDriver({
      socketPath,
      identity: {
        getPluginInfo: () => ({ name: driverName }),
        probe: () => ({ ready: { value: true } }),
        getPluginCapabilities: () => ({
          capabilities: [
            { service: { type: 'CONTROLLER_SERVICE' } },
            { service: { type: 'GROUP_CONTROLLER_SERVICE' } },
          ],
        }),
      },
      controller: {
        controllerGetCapabilities: () => ({ capabilities: capabilities.map((type) => ({ rpc: { type } })) }),
        async createSnapshot(request: CreateSnapshotRequest, { signal }) {
          await called('createSnapshot', request, signal);
          return { snapshot: take(request.name, request.sourceVolumeId) };
        },
        async deleteSnapshot(request, { signal }) {
          await called('deleteSnapshot', request, signal);
          snapshots.delete(request.snapshotId);
          return {};
        },
        async listSnapshots(request, { signal }) {
          await called('listSnapshots', request, signal);
          const snapshot = found(request.snapshotId);
          return { entries: snapshot === undefined ? [] : [{ snapshot }] };
        },
        async getSnapshot(request, { signal }) {
          await called('getSnapshot', request, signal);
          const snapshot = found(request.snapshotId);
          if (snapshot === undefined) throw new CsiError('NOT_FOUND', `no snapshot ${request.snapshotId}`);
          return { snapshot };
        },
      },
      groupController: {
        groupControllerGetCapabilities: () => ({
          capabilities: [{ rpc: { type: 'CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT' } }],
        }),
        async createVolumeGroupSnapshot(request, { signal }) {
          await called('createVolumeGroupSnapshot', request, signal);
          return { groupSnapshot: takeGroup(request) };
        },
        async getVolumeGroupSnapshot(request, { signal }) {
          await called('getVolumeGroupSnapshot', request, signal);
          const group = groups.get(request.groupSnapshotId);
          if (group === undefined) throw new CsiError('NOT_FOUND', `no group ${request.groupSnapshotId}`);
          return { groupSnapshot: group };
        },
        async deleteVolumeGroupSnapshot(request, { signal }) {
          await called('deleteVolumeGroupSnapshot', request, signal);
          groups.delete(request.groupSnapshotId);
          for (const id of request.snapshotIds) snapshots.delete(id);
          return {};
        },
      },
    });

  let server = await serve();
  const driver = openDriver({ name: driverName, socketPath });
  return {
    socketPath,
    driver,
    snapshots,
    groups,
    calls,
    callsOf: (rpc: string) => calls.filter((call) => call.rpc === rpc).map(({ request }) => request),
    fail: (rpc: string, ...errors: (CsiError | 'hang')[]) => void failures.set(rpc, errors),
    /** From now on each new snapshot is told as not ready so many times. */
    staysUnreadyFor(count: number) {
      unreadyAnswers = count;
    },
    /** A snapshot that nobody asked for through Kubernetes. */
    addSnapshot: (id: string) =>
      void snapshots.set(id, {
        snapshotId: id,
        sourceVolumeId: 'volume-of-old',
        sizeBytes: 2 ** 30,
        creationTime: { seconds: 1_600_000_000, nanos: 0 },
        readyToUse: true,
        groupSnapshotId: '',
      }),
    down: () => server.stop(),
    async up() {
      server = await serve();
    },
    async stop() {
      driver.close();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

export type FakeDriver = Awaited<ReturnType<typeof startFakeDriver>>;
