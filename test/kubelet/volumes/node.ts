import { deepEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Container, Pod, PodSpec, Volume } from '../../../api/types.ts';
import { createVolumeManager } from '../../../kubelet/volumes/volume-manager.ts';
import type {
  VolumeEvent,
  VolumeManager,
  VolumeManagerOptions,
} from '../../../kubelet/volumes/volume-manager.ts';
import { mountsBelow, readMountInfo } from '../../../linux/mount-info.ts';
import { createFakeApi } from './fake-api.ts';
import type { FakeApi } from './fake-api.ts';

/** A node with a volume manager of its own, and an API of its own. */
export interface TestNode {
  rootDir: string;
  api: FakeApi;
  volumes: VolumeManager;
  events: VolumeEvent[];
  /** The path of a volume of a Pod by plugin folder, such as `configmap`. */
  pathOf(pod: Pod, plugin: string, volume: string): string;
  /** As after SIGKILL: a new volume manager on the same directory. */
  restart(): Promise<void>;
}

/** Makes a node in a scratch directory; when the test is over, it proves that no mount and no file is left. */
export const makeNode = (
  t: ExecutionContext,
  options: Partial<VolumeManagerOptions> & { in?: string } = {},
): TestNode => {
  const rootDir = mkdtempSync(join(options.in ?? tmpdir(), 'vv-node-'));
  const api = createFakeApi();
  const make = () =>
    createVolumeManager({
      rootDir,
      client: api.client,
      nodeAllocatable: () => ({ cpu: '2', memory: '4Gi', 'ephemeral-storage': '10Gi' }),
      recordEvent: (event) => node.events.push(event),
      log: { warn: (fields, message) => t.log(message, fields) },
      ...options,
    });
  const node: TestNode = {
    rootDir,
    api,
    events: [],
    volumes: undefined as unknown as VolumeManager,
    pathOf: (pod, plugin, volume) =>
      join(rootDir, 'pods', pod.metadata?.uid ?? '', 'volumes', `kubernetes.io~${plugin}`, volume),
    async restart() {
      await node.volumes.close();
      node.volumes = make();
      node.volumes.reconstruct();
    },
  };
  node.volumes = make();
  t.teardown(async () => {
    await node.volumes.removeOrphans({ keep: new Set() });
    await node.volumes.close();
    // t's assertions are over by now.
    deepEqual(mountsBelow(rootDir), []);
    deepEqual(
      [...api.openWatches.values()].filter((count) => count !== 0),
      [],
    );
    rmSync(rootDir, { recursive: true });
  });
  return node;
};

let pods = 0;

/** A Pod whose one container mounts each volume at /<its name>. */
export const makePod = (
  volumes: Volume[],
  spec: Partial<PodSpec> = {},
  container: Partial<Container> = {},
): Pod => {
  pods += 1;
  const name = `vv-${process.pid}-${pods}`;
  return {
    metadata: { name, namespace: 'default', uid: `${name}-uid`, labels: { app: 'a' } },
    spec: {
      volumes,
      containers: [
        {
          name: 'main',
          volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` })),
          ...container,
        },
      ],
      ...spec,
    },
  };
};

/** The mounts of the machine at this very path. */
export const mountsAt = (path: string) => readMountInfo().filter(({ mountPoint }) => mountPoint === path);
