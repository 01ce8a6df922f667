import { execSpec } from '../containers/exec.ts';
import { getContainer } from '../containers/status.ts';
import type { ExecSyncRequest, ExecSyncResponse } from '../cri/types.ts';
import { CriError, invalidArgument, messageOf } from '../errors.ts';
import { execInContainer } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import type { Call } from '../server.ts';

// As containerd: what a probe prints beyond this is dropped, so that it fits into a gRPC message.
const maxOutputBytes = 4 * 1024 * 1024;

/**
 * Runs a command in a container to its end. Throws DEADLINE_EXCEEDED when it is not done after `timeout` seconds (0: never), CANCELLED
 * when the client waits no longer; then it is killed.
 */
export async function execSync(
  runtime: Runtime,
  { containerId, cmd, timeout }: ExecSyncRequest,
  { signal }: Call,
): Promise<ExecSyncResponse> {
  if (cmd.length === 0) throw invalidArgument('cmd must not be empty');
  const container = getContainer(runtime, containerId);
  const spec = execSpec(runtime, container, { command: cmd, tty: false });
  const limits = { maxOutputBytes, signal, ...(timeout > 0 ? { timeoutMs: timeout * 1000 } : {}) };
  const { exitCode, stdout, stderr, timedOut } = await execInContainer(spec, limits).catch(
    (error: unknown) => {
      throw new CriError(
        'UNKNOWN',
        `failed to exec in container: failed to start exec: ${messageOf(error)}`,
        { cause: error },
      );
    },
  );
  if (signal.aborted) throw new CriError('CANCELLED', 'failed to exec in container: context canceled');
  if (timedOut)
    throw new CriError(
      'DEADLINE_EXCEEDED',
      `failed to exec in container: timeout ${timeout}s exceeded: context deadline exceeded`,
    );
  return { exitCode, stdout, stderr };
}
