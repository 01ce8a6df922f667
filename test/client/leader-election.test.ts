import test from 'ava';
import { runLeaderElection } from '../../client/leader-election.ts';
import { leases } from '../../client/resources.ts';
import { startFakeApiServer } from './fake-api-server.ts';
import { patience, until } from '../environment.ts';

const leaseName = { name: 'scheduler', namespace: 'kube-system' };
const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/scheduler';
const timing = { retryPeriodMs: 10, leaseDurationMs: 1000 * patience, renewDeadlineMs: 600 * patience };

const start = async () => {
  const server = await startFakeApiServer();
  const client = server.client();
  const candidate = (identity: string) => {
    const abort = new AbortController();
    const log: string[] = [];
    const ended = runLeaderElection({
      client,
      ...leaseName,
      ...timing,
      identity,
      signal: abort.signal,
      lead(signal) {
        log.push('lead');
        signal.addEventListener('abort', () => log.push('end'));
      },
    });
    return { abort, log, ended };
  };
  const stop = async () => {
    client.close();
    await server.stop();
  };
  return { server, client, candidate, stop };
};

test('one leads, and gives the lease back at its end', async (t) => {
  const { client, candidate, stop } = await start();
  const a = candidate('a');
  await until('a leads', () => a.log.includes('lead'));
  const b = candidate('b');
  const lease = await client.resource(leases).get(leaseName);
  t.like(lease.spec, { holderIdentity: 'a', leaseDurationSeconds: patience, leaseTransitions: 0 });
  t.deepEqual(b.log, []);
  a.abort.abort();
  t.false(await a.ended);
  t.deepEqual(a.log, ['lead', 'end']);
  await until('b leads', () => b.log.includes('lead'));
  t.like((await client.resource(leases).get(leaseName)).spec, { holderIdentity: 'b', leaseTransitions: 1 });
  b.abort.abort();
  await b.ended;
  await stop();
});

test('a silent leader is replaced after the lease duration', async (t) => {
  const { server, candidate, stop } = await start();
  const spec = { holderIdentity: 'dead', leaseDurationSeconds: 1, leaseTransitions: 4 };
  server.put(path, { metadata: leaseName, spec } as object);
  const b = candidate('b');
  await until('b leads', () => b.log.includes('lead'));
  b.abort.abort();
  await b.ended;
  await stop();
  t.pass();
});

test('whoever cannot renew stops leading', async (t) => {
  const { server, candidate, stop } = await start();
  const a = candidate('a');
  await until('a leads', () => a.log.includes('lead'));
  server.setIntercept(() => ({ status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden' } }));
  t.true(await a.ended);
  t.deepEqual(a.log, ['lead', 'end']);
  await stop();
});

test('whose renewal hangs stops leading before another may lead', async (t) => {
  const { server, candidate, stop } = await start();
  const a = candidate('a');
  await until('a leads', () => a.log.includes('lead'));
  server.setIntercept(() => 'silence');
  await until('a leads no longer', () => a.log.includes('end'));
  t.true(await a.ended);
  await stop();
});
