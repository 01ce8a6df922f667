import test from 'ava';
import { computePodActions } from '../../../kubelet/actions/pod-actions.ts';
import type { PodActions, ProbeResult, ProbeResults } from '../../../kubelet/actions/pod-actions.ts';
import type { KubeletPod } from '../../../kubelet/pod.ts';
import type { PodRuntimeStatus } from '../../../kubelet/runtime-status/runtime-status.ts';
import { podOf, runtimeOf, sandboxOf, sidecar } from '../pod-builder.ts';
import type { Shown } from '../pod-builder.ts';

const probes = (results: Record<string, ProbeResult> = {}): ProbeResults => ({
  liveness: (id) => results[`liveness ${id}`],
  startup: (id) => results[`startup ${id}`],
});

interface Row {
  what: string;
  pod: KubeletPod;
  shown?: Record<string, Shown>;
  status?: PodRuntimeStatus;
  results?: Record<string, ProbeResult>;
  wanted: Partial<Omit<PodActions, 'containersToKill'>> & { kills?: string[] };
}

const idle = {
  killPod: false,
  createSandbox: false,
  initContainersToStart: [],
  containersToStart: [],
  ephemeralContainersToStart: [],
  kills: [],
};

const none = (pod: KubeletPod): PodRuntimeStatus => ({ ...runtimeOf(pod), sandboxes: [], ips: [] });
const ended = (pod: KubeletPod, shown: Record<string, Shown>): PodRuntimeStatus =>
  runtimeOf(pod, shown, { state: 'SANDBOX_NOTREADY' });

const plain = podOf({ containers: ['a', 'b'] });
const onFailure = podOf({ containers: ['a', 'b'], restartPolicy: 'OnFailure' });
const never = podOf({ containers: ['a', 'b'], restartPolicy: 'Never' });
const inits = podOf({ initContainers: ['i', 'j'] });
const initsNever = podOf({ initContainers: ['i', 'j'], restartPolicy: 'Never' });
const sidecars = podOf({ initContainers: [sidecar('s'), 'i', sidecar('r')] });
const sidecarProbed = podOf({
  initContainers: [sidecar('s', { startupProbe: { tcpSocket: { port: 1 } } }), 'i'],
});

const rows: Row[] = [
  {
    what: 'a new pod gets a sandbox and all containers',
    pod: plain,
    status: none(plain),
    wanted: { killPod: true, createSandbox: true, containersToStart: [0, 1] },
  },
  { what: 'everything runs', pod: plain, shown: { a: 'running', b: 'running' }, wanted: {} },
  {
    what: 'one has ended: Always',
    pod: plain,
    shown: { a: 0, b: 'running' },
    wanted: { containersToStart: [0] },
  },
  {
    what: 'one has failed: OnFailure',
    pod: onFailure,
    shown: { a: 1, b: 'running' },
    wanted: { containersToStart: [0] },
  },
  { what: 'one has succeeded: OnFailure', pod: onFailure, shown: { a: 0, b: 'running' }, wanted: {} },
  { what: 'one has failed: Never', pod: never, shown: { a: 1, b: 'running' }, wanted: {} },
  { what: 'all have ended: Never', pod: never, shown: { a: 1, b: 0 }, wanted: { killPod: true } },
  { what: 'all have succeeded: OnFailure', pod: onFailure, shown: { a: 0, b: 0 }, wanted: { killPod: true } },
  {
    what: 'created but not started: started again',
    pod: plain,
    shown: { a: 'created', b: 'running' },
    wanted: { containersToStart: [0] },
  },
  {
    what: 'unknown: killed before it starts again',
    pod: plain,
    shown: { a: 'unknown', b: 'running' },
    wanted: {
      containersToStart: [0],
      kills: ['a: Container is in "unknown" state, try killing it before restart'],
    },
  },
  {
    what: 'liveness failed: Always',
    pod: plain,
    shown: { a: 'running', b: 'running' },
    results: { 'liveness id-a': 'failure' },
    wanted: {
      containersToStart: [0],
      kills: ['a: Container a failed liveness probe, will be restarted'],
    },
  },
  {
    what: 'liveness failed: Never',
    pod: never,
    shown: { a: 'running', b: 'running' },
    results: { 'liveness id-a': 'failure' },
    wanted: { kills: ['a: Container a failed liveness probe'] },
  },
  {
    what: 'startup failed',
    pod: plain,
    shown: { a: 'running', b: 'running' },
    results: { 'startup id-b': 'failure' },
    wanted: { containersToStart: [1], kills: ['b: Container b failed startup probe, will be restarted'] },
  },
  {
    what: 'the image has changed: even with Never',
    pod: never,
    status: (() => {
      const status = runtimeOf(never, { a: 'running', b: 'running' });
      return {
        ...status,
        containers: status.containers.map((one) => (one.name === 'a' ? { ...one, hash: 'old' } : one)),
      };
    })(),
    wanted: { containersToStart: [0], kills: ['a: Container a definition changed, will be restarted'] },
  },
  {
    what: 'the sandbox has died: everything anew',
    pod: plain,
    status: ended(plain, { a: 137, b: 137 }),
    wanted: { killPod: true, createSandbox: true, attempt: 1, containersToStart: [0, 1] },
  },
  {
    what: 'the sandbox has died: Never ends there',
    pod: never,
    status: ended(never, { a: 137, b: 137 }),
    wanted: { killPod: true, createSandbox: false },
  },
  {
    what: 'the sandbox has died before any container was: Never starts',
    pod: never,
    status: ended(never, {}),
    wanted: { killPod: true, createSandbox: true, containersToStart: [0, 1] },
  },
  {
    what: 'the sandbox has died: OnFailure starts only what has failed',
    pod: onFailure,
    status: ended(onFailure, { a: 0, b: 137 }),
    wanted: { killPod: true, createSandbox: true, containersToStart: [1] },
  },
  {
    what: 'the sandbox has died: OnFailure has nothing left to do',
    pod: onFailure,
    status: ended(onFailure, { a: 0, b: 0 }),
    wanted: { killPod: true, createSandbox: false },
  },
  {
    what: 'two ready sandboxes',
    pod: plain,
    status: { ...runtimeOf(plain), sandboxes: [sandboxOf(), sandboxOf({ id: 'sandbox-0' })] },
    wanted: { killPod: true, createSandbox: true, attempt: 1, containersToStart: [0, 1] },
  },
  {
    what: 'a sandbox without address',
    pod: plain,
    status: runtimeOf(plain, {}, { network: { ip: '', additionalIps: [] } }),
    wanted: { killPod: true, createSandbox: true, attempt: 1, containersToStart: [0, 1] },
  },
  {
    what: 'init: a new pod starts the first',
    pod: inits,
    status: none(inits),
    wanted: { killPod: true, createSandbox: true, initContainersToStart: [0] },
  },
  { what: 'init: a sandbox and nothing else', pod: inits, shown: {}, wanted: { initContainersToStart: [0] } },
  { what: 'init: the first runs', pod: inits, shown: { i: 'running' }, wanted: {} },
  { what: 'init: the first is done', pod: inits, shown: { i: 0 }, wanted: { initContainersToStart: [1] } },
  { what: 'init: the first has failed', pod: inits, shown: { i: 1 }, wanted: { initContainersToStart: [0] } },
  { what: 'init: failed with Never', pod: initsNever, shown: { i: 1 }, wanted: { killPod: true } },
  { what: 'init: all are done', pod: inits, shown: { i: 0, j: 0 }, wanted: { containersToStart: [0] } },
  {
    what: 'init: done, and the container runs',
    pod: inits,
    shown: { i: 0, j: 0, main: 'running' },
    wanted: {},
  },
  {
    what: 'init: traces gone, container runs',
    pod: inits,
    shown: { main: 'running' },
    wanted: {},
  },
  {
    what: 'sidecar runs: the next one starts',
    pod: sidecars,
    shown: { s: 'running' },
    wanted: { initContainersToStart: [1] },
  },
  {
    what: 'sidecar ends during initialization: both go on',
    pod: sidecars,
    shown: { s: 1, i: 0 },
    wanted: { initContainersToStart: [0, 2] },
  },
  {
    what: 'all initialized: containers start',
    pod: sidecars,
    shown: { s: 'running', i: 0, r: 'running' },
    wanted: { containersToStart: [0] },
  },
  {
    what: 'a sidecar ends while the container runs',
    pod: sidecars,
    shown: { s: 'running', i: 0, r: 0, main: 'running' },
    wanted: { initContainersToStart: [2] },
  },
  {
    what: 'a sidecar that has not started holds back the next',
    pod: sidecarProbed,
    shown: { s: 'running' },
    results: { 'startup id-s': 'unknown' },
    wanted: {},
  },
  {
    what: 'a sidecar that has started lets the next go on',
    pod: sidecarProbed,
    shown: { s: 'running' },
    results: { 'startup id-s': 'success' },
    wanted: { initContainersToStart: [1] },
  },
  {
    what: 'a sidecar whose startup probe failed is restarted',
    pod: sidecarProbed,
    shown: { s: 'running' },
    results: { 'startup id-s': 'failure' },
    wanted: { initContainersToStart: [0], kills: ['s: Init container s failed startup probe'] },
  },
  {
    what: 'the work is done: sidecars are not kept',
    pod: { ...sidecars, spec: { ...sidecars.spec, restartPolicy: 'Never' } },
    shown: { s: 'running', i: 0, r: 'running', main: 0 },
    wanted: { killPod: true },
  },
  {
    what: 'an ephemeral container starts once',
    pod: podOf({ ephemeralContainers: [{ name: 'debug', image: 'busybox' }] }),
    shown: { main: 'running' },
    wanted: { ephemeralContainersToStart: [0] },
  },
  {
    what: 'an ephemeral container never restarts',
    pod: podOf({ ephemeralContainers: [{ name: 'debug', image: 'busybox' }] }),
    shown: { main: 'running', debug: 1 },
    wanted: {},
  },
  {
    what: 'a container with its own policy: Never in a pod of Always',
    pod: podOf({ containers: [{ name: 'a', restartPolicy: 'Never' }, 'b'] }),
    shown: { a: 1, b: 'running' },
    wanted: {},
  },
  {
    what: 'a restart rule for an exit code in a container of Never',
    pod: podOf({
      containers: [
        {
          name: 'a',
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        },
        'b',
      ],
    }),
    shown: { a: 42, b: 'running' },
    wanted: { containersToStart: [0] },
  },
  {
    what: 'a deleted pod starts nothing',
    pod: { ...plain, metadata: { ...plain.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    shown: { a: 1, b: 'running' },
    wanted: {},
  },
];

for (const { what, pod, shown, status, results, wanted } of rows) {
  test(what, (t) => {
    const actions = computePodActions({
      pod,
      status: status ?? runtimeOf(pod, shown),
      probes: probes(results),
    });
    const { containersToKill, sandboxId: _sandboxId, attempt, ...rest } = actions;
    const kills = containersToKill.map(({ container, message }) => `${container.name}: ${message}`);
    const { attempt: wantedAttempt, ...others } = wanted;
    t.deepEqual({ ...rest, kills }, { ...idle, ...others });
    if (wantedAttempt !== undefined) t.is(attempt, wantedAttempt);
  });
}
