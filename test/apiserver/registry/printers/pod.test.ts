import test from 'ava';
import type { ContainerStatus, Pod } from '../../../../api/types.ts';
import { humanDuration } from '../../../../apiserver/registry/printers/age.ts';
import { summarizePod } from '../../../../apiserver/registry/printers/pod.ts';

const status = (
  name: string,
  state: ContainerStatus['state'],
  more: Partial<ContainerStatus> = {},
): ContainerStatus => ({
  name,
  image: 'i',
  imageID: 'i',
  ready: false,
  restartCount: 0,
  ...(state !== undefined && { state }),
  ...more,
});

const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const waiting = (reason: string) => ({ waiting: { reason } });
const ended = (exitCode: number, reason?: string, signal?: number) => ({
  terminated: { exitCode, ...(reason !== undefined && { reason }), ...(signal !== undefined && { signal }) },
});

const pod = (options: {
  phase: string;
  main?: ContainerStatus[];
  init?: ContainerStatus[];
  more?: Partial<Pod>;
}): Pod => ({
  metadata: { name: 'p' },
  spec: {
    containers: (options.main ?? [status('a', undefined)]).map(({ name }) => ({ name })),
    ...(options.init !== undefined && { initContainers: options.init.map(({ name }) => ({ name })) }),
  },
  status: {
    phase: options.phase,
    ...(options.main !== undefined && { containerStatuses: options.main }),
    ...(options.init !== undefined && { initContainerStatuses: options.init }),
  },
  ...options.more,
});

const CASES: [string, Pod, { ready: string; status: string; restarts?: string }][] = [
  ['not started', pod({ phase: 'Pending' }), { ready: '0/1', status: 'Pending' }],
  [
    'running',
    pod({ phase: 'Running', main: [status('a', running, { ready: true })] }),
    { ready: '1/1', status: 'Running' },
  ],
  [
    'crashing',
    pod({ phase: 'Running', main: [status('a', waiting('CrashLoopBackOff'), { restartCount: 3 })] }),
    { ready: '0/1', status: 'CrashLoopBackOff', restarts: '3' },
  ],
  [
    'ended well',
    pod({ phase: 'Succeeded', main: [status('a', ended(0, 'Completed'))] }),
    { ready: '0/1', status: 'Completed' },
  ],
  [
    'ended badly',
    pod({ phase: 'Failed', main: [status('a', ended(1, 'Error'))] }),
    { ready: '0/1', status: 'Error' },
  ],
  [
    'killed without a reason',
    pod({ phase: 'Failed', main: [status('a', ended(137, undefined, 9))] }),
    { ready: '0/1', status: 'Signal:9' },
  ],
  [
    'one ended, one runs but is not ready',
    pod({
      phase: 'Running',
      main: [status('a', ended(0, 'Completed')), status('b', running, { ready: true })],
    }),
    { ready: '1/2', status: 'NotReady' },
  ],
  [
    'initializing',
    pod({ phase: 'Pending', init: [status('i', running), status('j', waiting('PodInitializing'))] }),
    { ready: '0/1', status: 'Init:0/2' },
  ],
  [
    'failed to initialize',
    pod({ phase: 'Pending', init: [status('i', ended(2, 'Error'))] }),
    { ready: '0/1', status: 'Init:Error' },
  ],
  [
    'initializing, crashing',
    pod({ phase: 'Pending', init: [status('i', waiting('CrashLoopBackOff'), { restartCount: 2 })] }),
    { ready: '0/1', status: 'Init:CrashLoopBackOff', restarts: '2' },
  ],
  [
    'being deleted',
    pod({
      phase: 'Running',
      main: [status('a', running, { ready: true })],
      more: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
    }),
    { ready: '1/1', status: 'Terminating' },
  ],
];

for (const [name, given, expected] of CASES) {
  test(`a Pod that is ${name}`, (t) => t.like(summarizePod(given), { restarts: '0', ...expected }));
}

test('a sidecar counts among the containers', (t) => {
  const given = pod({
    phase: 'Running',
    main: [status('a', running, { ready: true })],
    init: [status('s', running, { ready: true, started: true })],
  });
  given.spec = { containers: [{ name: 'a' }], initContainers: [{ name: 's', restartPolicy: 'Always' }] };
  t.like(summarizePod(given), { ready: '2/2', status: 'Running' });
});

test('durations grow coarser', (t) => {
  const shown = [0, 119, 120, 200, 599, 600, 10_799, 10_800, 100_000, 400_000, 800_000, 70_000_000].map(
    (seconds) => humanDuration(seconds),
  );
  t.deepEqual(shown, [
    '0s',
    '119s',
    '2m',
    '3m20s',
    '9m59s',
    '10m',
    '179m',
    '3h',
    '27h',
    '4d15h',
    '9d',
    '2y80d',
  ]);
  t.is(humanDuration(-5), '<invalid>');
});
