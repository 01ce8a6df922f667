import { once } from 'node:events';
import { existsSync, linkSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { status } from '@grpc/grpc-js';
import { connectDriver, connectRegistration } from '../../csi/connect.ts';
import type { CsiDriver } from '../../csi/connect.ts';
import { CsiError } from '../../csi/error.ts';
import type { CodeName } from '../../csi/error.ts';
import { serveDriver } from '../../csi/serve.ts';
import type { DriverServices } from '../../csi/serve.ts';
import { patience, until } from '../environment.ts';

const socketFor = async (t: ExecutionContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'cc-csi-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'csi.sock');
};

const served = async (t: ExecutionContext, services: DriverServices) => {
  const socketPath = await socketFor(t);
  const server = await serveDriver({ socketPath, ...services });
  const driver = connectDriver({ socketPath });
  t.teardown(async () => {
    driver.close();
    await server.stop();
  });
  return { driver, server, socketPath };
};

test('a request arrives whole and the response comes back whole', async (t) => {
  const { driver } = await served(t, {
    controller: {
      createVolume: ({ name, capacityRange, volumeCapabilities, parameters, volumeContentSource }) => ({
        volume: {
          volumeId: `${name}-id`,
          capacityBytes: capacityRange?.requiredBytes,
          volumeContext: { ...parameters, caps: JSON.stringify(volumeCapabilities) },
          contentSource: volumeContentSource,
          accessibleTopology: [{ segments: { zone: 'a' } }],
        },
      }),
    },
  });
  const { volume } = await driver.controller.createVolume({
    name: 'pvc-1',
    capacityRange: { requiredBytes: 2 ** 50 + 1 },
    volumeCapabilities: [{ mount: { fsType: 'xfs' }, accessMode: { mode: 'SINGLE_NODE_WRITER' } }],
    parameters: { a: '1' },
    volumeContentSource: { snapshot: { snapshotId: 's' } },
  });
  t.deepEqual(volume, {
    volumeId: 'pvc-1-id',
    capacityBytes: 2 ** 50 + 1,
    volumeContext: {
      a: '1',
      caps: JSON.stringify([
        {
          accessMode: { mode: 'SINGLE_NODE_WRITER' },
          mount: { mountFlags: [], fsType: 'xfs', volumeMountGroup: '' },
        },
      ]),
    },
    contentSource: { snapshot: { snapshotId: 's' } },
    accessibleTopology: [{ segments: { zone: 'a' } }],
  });
});

test('what is not sent arrives as the default, null, or not at all inside a oneof', async (t) => {
  const { driver } = await served(t, {
    identity: { probe: () => ({}), getPluginCapabilities: () => ({ capabilities: [{ service: {} }] }) },
  });
  t.deepEqual(await driver.identity.probe({}), { ready: null });
  const { capabilities } = await driver.identity.getPluginCapabilities({});
  t.deepEqual(capabilities, [{ service: { type: 'UNKNOWN' } }]);
});

const codeNames = Object.keys(status).filter(
  (name) => Number.isNaN(Number(name)) && name !== 'OK',
) as CodeName[];

test('every gRPC code crosses the socket and prints as Go prints it', async (t) => {
  const { driver } = await served(t, {
    controller: {
      deleteVolume: ({ volumeId }) => {
        throw new CsiError(volumeId as CodeName, `no luck with ${volumeId}`);
      },
    },
  });
  for (const name of codeNames) {
    const error = await t.throwsAsync(driver.controller.deleteVolume({ volumeId: name }), {
      instanceOf: CsiError,
    });
    t.like(error, {
      codeName: name,
      code: status[name],
      message: `no luck with ${name}`,
      method: 'DeleteVolume',
    });
  }
  const error = new CsiError('NOT_FOUND', 'volume v');
  t.is(`${error}`, 'rpc error: code = NotFound desc = volume v');
});

test('an RPC without a handler is unimplemented, a plain error is internal', async (t) => {
  const { driver } = await served(t, {
    node: {
      nodeGetInfo: () => {
        throw new TypeError('oh');
      },
    },
  });
  await t.throwsAsync(driver.controller.createVolume({}), { code: status.UNIMPLEMENTED });
  await t.throwsAsync(driver.node.nodeGetCapabilities({}), { code: status.UNIMPLEMENTED });
  await t.throwsAsync(driver.node.nodeGetInfo({}), { code: status.INTERNAL, message: 'oh' });
});

test('a deadline and a signal end a call, and the handler is told', async (t) => {
  const begun: string[] = [];
  const ended: string[] = [];
  const { driver } = await served(t, {
    identity: { probe: () => ({}) },
    controller: {
      deleteVolume: ({ volumeId }, { signal }) =>
        new Promise((resolve) => {
          begun.push(volumeId);
          signal.addEventListener('abort', () => {
            ended.push(volumeId);
            resolve({});
          });
        }),
    },
  });
  await driver.identity.probe({}); // connected: the deadline is the handler's alone
  const late = driver.controller.deleteVolume({ volumeId: 'late' }, { timeoutMs: 1_000 * patience });
  const aborter = new AbortController();
  const cancelled = driver.controller.deleteVolume({ volumeId: 'gone' }, { signal: aborter.signal });
  await until('both handlers run', () => begun.length === 2);
  aborter.abort();
  await t.throwsAsync(cancelled, { code: status.CANCELLED, message: 'context canceled' });
  const deadline = await t.throwsAsync(late, { instanceOf: CsiError });
  t.is(`${deadline}`, 'rpc error: code = DeadlineExceeded desc = context deadline exceeded');
  await until('both handlers are told', () => ended.length === 2);
  t.deepEqual(ended, ['gone', 'late']);
});

test('a driver that goes and comes back is found again', async (t) => {
  const socketPath = await socketFor(t);
  const driver = connectDriver({ socketPath });
  t.teardown(() => driver.close());
  await t.throwsAsync(driver.identity.probe({}), { code: status.UNAVAILABLE });
  const identity = { probe: () => ({ ready: { value: true } }) };
  for (let life = 0; life < 3; life++) {
    const waiting = driver.identity.probe({}, { waitForReady: true, timeoutMs: 20_000 * patience });
    const server = await serveDriver({ socketPath, identity });
    t.deepEqual(await waiting, { ready: { value: true } });
    await server.stop();
    t.false(existsSync(socketPath));
  }
});

test("a driver that is not there is told of in Go's words", async (t) => {
  const socketPath = await socketFor(t);
  const driver = connectDriver({ socketPath });
  t.teardown(() => driver.close());
  const told = async (calls: CsiDriver) => `${await t.throwsAsync(calls.identity.probe({}))}`;
  const dialing = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ${socketPath}: connect:`;
  t.is(await told(driver), `${dialing} no such file or directory"`);

  // As a driver leaves its socket that was killed.
  const server = createServer().listen(`${socketPath}.alive`);
  await once(server, 'listening');
  linkSync(`${socketPath}.alive`, socketPath);
  server.close();
  await once(server, 'close');
  const again = connectDriver({ socketPath });
  t.teardown(() => again.close());
  t.is(await told(again), `${dialing} connection refused"`);
});

test('only root can open the socket; a living driver is not replaced', async (t) => {
  const { socketPath } = await served(t, {});
  t.is(statSync(socketPath).mode & 0o777, 0o600);
  await t.throwsAsync(serveDriver({ socketPath }), {
    message: `${socketPath}: another driver already serves this socket; stop it first`,
  });
});

test('stop lets a call under way end', async (t) => {
  const { promise: release, resolve } = Promise.withResolvers<undefined>();
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<undefined>();
  const { driver, server } = await served(t, {
    identity: {
      probe: async () => {
        arrive(undefined);
        await release;
        return { ready: { value: true } };
      },
    },
  });
  const answer = driver.identity.probe({});
  await arrived;
  const stopped = server.stop();
  resolve(undefined);
  t.deepEqual(await answer, { ready: { value: true } });
  await stopped;
});

test('a registration socket speaks to the kubelet', async (t) => {
  const socketPath = await socketFor(t);
  const told: unknown[] = [];
  const server = await serveDriver({
    socketPath,
    registration: {
      getInfo: () => ({ type: 'CSIPlugin', name: 'd', endpoint: '/csi.sock', supportedVersions: ['1.0.0'] }),
      notifyRegistrationStatus: (status) => {
        told.push(status);
        return {};
      },
    },
  });
  const registration = connectRegistration({ socketPath });
  t.teardown(async () => {
    registration.close();
    await server.stop();
  });
  t.deepEqual(await registration.getInfo({}), {
    type: 'CSIPlugin',
    name: 'd',
    endpoint: '/csi.sock',
    supportedVersions: ['1.0.0'],
  });
  await registration.notifyRegistrationStatus({ pluginRegistered: false, error: 'no' });
  t.deepEqual(told, [{ pluginRegistered: false, error: 'no' }]);
});
