import type { ProcessIdentity } from '../../linux/process.ts';
import { waitForExit } from '../../linux/process.ts';
import { messageOf } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { publishSandboxEvent } from './status.ts';

/** Makes the sandbox not ready when its pause process ends, whoever ended it. */
export function watchPause(runtime: Runtime, id: string, pause: ProcessIdentity): void {
  waitForExit(pause, { signal: runtime.stopped, keepAlive: false })
    .then(() => pauseEnded(runtime, id))
    .catch((error: unknown) => {
      if (!runtime.stopped.aborted)
        runtime.log.error({ sandbox: id, error: messageOf(error) }, 'pause not watched');
    });
}

async function pauseEnded(runtime: Runtime, id: string): Promise<void> {
  await runtime.sandboxes.update(id, { state: 'SANDBOX_NOTREADY' }, { durable: false });
  publishSandboxEvent(runtime, id, 'CONTAINER_STOPPED_EVENT');
}
