import test from 'ava';
import type { ContainerStatus } from '../../../api/types.ts';
import { newEnds } from '../../../kubelet/status/container-ends.ts';

const status = (states: Pick<ContainerStatus, 'state' | 'lastState'>): ContainerStatus => ({
  name: 'main',
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...states,
});

const ended = (containerID: string, exitCode: number, reason: string) => ({
  terminated: { containerID, exitCode, reason },
});

test('each end is told once, also of a container that runs again by then', (t) => {
  const running = { running: {} };
  const first = status({ state: running });
  const restarted = status({ state: running, lastState: ended('1', 3, 'Error') });
  const over = status({ state: ended('2', 0, 'Completed'), lastState: ended('1', 3, 'Error') });
  const tell = (before: ContainerStatus, after: ContainerStatus) =>
    newEnds({ containerStatuses: [before] }, { containerStatuses: [after] });
  t.deepEqual(tell(first, restarted), [{ kind: 'container', exitCode: 3, reason: 'Error' }]);
  t.deepEqual(tell(restarted, restarted), []);
  t.deepEqual(tell(restarted, over), [{ kind: 'container', exitCode: 0, reason: 'Completed' }]);
  t.is(tell(first, over).length, 2);
  t.deepEqual(newEnds({}, { initContainerStatuses: [status({ state: ended('1', 0, 'Completed') })] }), [
    { kind: 'init container', exitCode: 0, reason: 'Completed' },
  ]);
});
