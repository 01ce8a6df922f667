import test from 'ava';
import type { ContainerStatus } from '../../../api/types.ts';
import { phaseOf } from '../../../kubelet/status/phase.ts';
import { podOf, sidecar } from '../pod-builder.ts';

const status = (name: string, state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}) => ({
  name,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...(state ? { state } : {}),
  ...more,
});
const running = (name: string, started = true) => status(name, { running: { startedAt: '' } }, { started });
const exited = (name: string, exitCode: number) => status(name, { terminated: { exitCode } });
const waiting = (name: string, lastExit?: number) =>
  status(
    name,
    { waiting: {} },
    lastExit === undefined ? {} : { lastState: { terminated: { exitCode: lastExit } } },
  );

const removed = (name: string) =>
  status(
    name,
    { waiting: {} },
    { lastState: { terminated: { exitCode: 137, reason: 'RestartingAllContainers' } } },
  );

const always = podOf({ containers: ['a', 'b'] });
const never = podOf({ containers: ['a', 'b'], restartPolicy: 'Never' });
const onFailure = podOf({ containers: ['a', 'b'], restartPolicy: 'OnFailure' });
const init = podOf({ initContainers: ['i'], containers: ['a'] });
const side = podOf({ initContainers: [sidecar('s')], containers: ['a'] });

for (const [what, pod, statuses, wanted, isTerminal = false] of [
  ['nothing yet', always, [], 'Pending'],
  ['all wait', always, [waiting('a'), waiting('b')], 'Pending'],
  ['one runs, one never started', always, [running('a'), waiting('b')], 'Pending'],
  ['one runs, one has crashed', always, [running('a'), waiting('b', 1)], 'Running'],
  ['both are removed to start anew: Never', never, [removed('a'), removed('b')], 'Pending'],
  ['both have crashed: Always', always, [waiting('a', 1), waiting('b', 1)], 'Running'],
  ['both succeeded: Always', always, [exited('a', 0), exited('b', 0)], 'Running'],
  ['both succeeded: Never', never, [exited('a', 0), exited('b', 0)], 'Succeeded'],
  ['one failed: Never', never, [exited('a', 0), exited('b', 1)], 'Failed'],
  ['one failed: OnFailure', onFailure, [exited('a', 0), exited('b', 1)], 'Running'],
  ['both succeeded: OnFailure', onFailure, [exited('a', 0), exited('b', 0)], 'Succeeded'],
  ['terminal: Always, failed', always, [exited('a', 0), exited('b', 137)], 'Failed', true],
  ['terminal: Always, succeeded', always, [exited('a', 0), exited('b', 0)], 'Succeeded', true],
  ['init runs', init, [running('i'), waiting('a')], 'Pending'],
  ['init failed, to be retried', init, [waiting('i', 1), waiting('a')], 'Pending'],
  [
    'init failed for good',
    { ...init, spec: { ...init.spec, restartPolicy: 'Never' } },
    [exited('i', 1), waiting('a')],
    'Failed',
  ],
  ['init done, container runs', init, [exited('i', 0), running('a')], 'Running'],
  ['sidecar not started', side, [running('s', false), waiting('a')], 'Pending'],
  ['sidecar and container run', side, [running('s'), running('a')], 'Running'],
  ['sidecar crashed, container runs', side, [waiting('s', 1), running('a')], 'Running'],
  [
    'sidecar ended, work done',
    { ...side, spec: { ...side.spec, restartPolicy: 'Never' } },
    [exited('s', 143), exited('a', 0)],
    'Succeeded',
  ],
] as const) {
  test(what, (t) => {
    t.is(phaseOf({ pod, statuses: [...statuses], isTerminal, hasStarted: true }), wanted);
  });
}
