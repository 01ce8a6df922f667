import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readClusterFile, type ClusterFile } from '../../cluster/cluster-file.ts';
import { controlPlaneIdentities } from '../../cluster/identities.ts';
import { down } from '../../cluster/index.ts';
import { writeKubeconfig } from '../../cluster/kubeconfig.ts';
import { clusterPaths } from '../../cluster/paths.ts';
import { waitUntilReady } from '../../cluster/wait-until-ready.ts';
import { identify } from '../../linux/process.ts';
import { beginUp } from './begin-up.ts';

const name = `wr-${process.pid}`;
const { logs, run, kubeconfig } = clusterPaths(name);

/** A cluster whose daemons live and have said something; its API server answers all with that status. */
async function cluster(t: ExecutionContext, status: number): Promise<ClusterFile> {
  await beginUp(name);
  t.teardown(() => down(name));
  mkdirSync(logs);
  for (const daemon of ['control-plane', 'node-1']) {
    const { pid = 0 } = spawn('sleep', ['1000'], { stdio: 'ignore' });
    writeFileSync(join(run, `${daemon}.pid`), JSON.stringify({ name: daemon, ...identify(pid) }));
    writeFileSync(join(logs, `${daemon}.log`), `of ${daemon}\n`);
  }
  const file = readClusterFile(name);
  if (file === undefined) throw new Error('no cluster file');
  const { ca, admin, apiserver } = await controlPlaneIdentities(file);
  const server = createSecureServer({ cert: apiserver.cert, key: apiserver.key });
  server.on('stream', (stream) => {
    stream.respond({ ':status': status, 'content-type': 'application/json' });
    stream.end(status === 200 ? '{"kind":"NodeList","items":[]}' : 'no');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  const user = { user: 'admin', credentials: admin };
  await writeKubeconfig(kubeconfig, { cluster: name, server: url, caCert: ca.cert, ...user });
  return file;
}

const goesOn = `where this host is only slow, 'podwright up --name ${name}' goes on waiting`;

for (const { status, why, daemon } of [
  { status: 200, why: 'not Ready: node-1', daemon: 'node-1' },
  {
    status: 403,
    why: 'the API server does not answer as it should: GET /api/v1/nodes: the server answered 403: no',
    daemon: 'control-plane',
  },
])
  test.serial(`what is waited for too long is told with the last words of ${daemon}`, async (t) => {
    await t.throwsAsync(waitUntilReady(await cluster(t, status), { timeoutMs: 0 }), {
      message: `cluster ${name} after 0 s: ${why}; ${goesOn}; the end of ${logs}/${daemon}.log:\nof ${daemon}`,
    });
  });
