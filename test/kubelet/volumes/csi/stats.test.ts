import { request } from 'node:https';
import test from 'ava';
import { systemClock } from '../../../../client/clock.ts';
import { until } from '../../../environment.ts';
import { startStorageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

const read = ({ kubelet, admin, ca }: StorageBench, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: kubelet.port,
      path,
      ca,
      ...admin,
      checkServerIdentity: () => undefined,
    };
    request(options, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(body));
    })
      .on('error', reject)
      .end();
  });

test('a claim’s use and health, in the summary, the metrics and an event', async (t) => {
  let laterMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs };
  const bench = await startStorageBench(t, {
    kubelet: { clock },
    driver: { capabilities: ['STAGE_UNSTAGE_VOLUME', 'GET_VOLUME_STATS', 'VOLUME_CONDITION'] },
    driverSpec: { attachRequired: false },
  });
  await bench.makeVolume('data');
  const pod = await bench.makePod('one', ['data']);
  await bench.running('one');
  const { uid } = pod.metadata ?? {};
  bench.cri.intercept('ListPodSandboxStats', () => ({
    stats: [{ attributes: { id: 'x', metadata: { name: 'one', namespace: 'default', uid, attempt: 0 } } }],
  }));
  const summary = JSON.parse(await read(bench, '/stats/summary')) as {
    pods: { podRef: { uid: string }; volume: Record<string, unknown>[] }[];
  };
  const { volume = [] } = summary.pods.find(({ podRef }) => podRef.uid === uid) ?? {};
  t.deepEqual(
    volume.map(({ time: _time, ...stats }) => stats),
    [
      {
        name: 'data',
        pvcRef: { name: 'data', namespace: 'default' },
        usedBytes: 1000,
        capacityBytes: 5000,
        availableBytes: 4000,
        inodesUsed: 1,
        inodes: 50,
        inodesFree: 49,
        volumeHealthStats: { abnormal: false },
      },
    ],
  );
  bench.driver.stats.abnormal = 'the disk is on fire';
  // What was counted within a minute isn't counted again.
  t.regex(await read(bench, '/metrics'), /kubelet_volume_stats_health_status_abnormal\{[^}]*\} 0/);
  laterMs = 60_000;
  const metrics = await until('metrics', async () => {
    const text = await read(bench, '/metrics');
    return /kubelet_volume_stats_health_status_abnormal\{[^}]*\} 1/.test(text) ? text : undefined;
  });
  const labels = '\\{namespace="default",persistentvolumeclaim="data"\\}';
  t.regex(metrics, new RegExp(`^kubelet_volume_stats_capacity_bytes${labels} 5000$`, 'm'));
  t.regex(metrics, new RegExp(`^kubelet_volume_stats_available_bytes${labels} 4000$`, 'm'));
  t.regex(metrics, new RegExp(`^kubelet_volume_stats_used_bytes${labels} 1000$`, 'm'));
  t.regex(metrics, new RegExp(`^kubelet_volume_stats_inodes${labels} 50$`, 'm'));
  t.regex(metrics, new RegExp(`^kubelet_volume_stats_inodes_free${labels} 49$`, 'm'));
  t.regex(metrics, new RegExp(`^kubelet_volume_stats_inodes_used${labels} 1$`, 'm'));
  const event = await bench.eventUntil('one', ({ reason }) => reason === 'VolumeConditionAbnormal');
  t.is(event.message, 'Volume data: the disk is on fire');
});

test('volumes that are there and that should be, counted by plugin', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { attachRequired: false } });
  await bench.makeVolume('data');
  await bench.makePod('one', ['data']);
  await bench.running('one');
  const count = (plugin: string, state: string, value: number) =>
    new RegExp(
      `^volume_manager_total_volumes\\{plugin_name="kubernetes.io/${plugin}",state="${state}_state_of_world"\\} ${value}$`,
      'm',
    );
  const csi = `csi:${bench.driver.name}`;
  const both = await read(bench, '/metrics');
  t.regex(both, count(csi, 'actual', 1));
  t.regex(both, count(csi, 'desired', 1));
  // Wanted, but not there yet.
  await bench.makePod('two', [], {
    volumes: [{ name: 'settings', configMap: { name: 'missing' } }],
    containers: [
      { name: 'main', image: 'busybox', volumeMounts: [{ name: 'settings', mountPath: '/settings' }] },
    ],
  });
  await bench.eventUntil('two', ({ reason }) => reason === 'FailedMount');
  const wanted = await read(bench, '/metrics');
  t.regex(wanted, count('configmap', 'desired', 1));
  t.notRegex(wanted, count('configmap', 'actual', 1));
});
