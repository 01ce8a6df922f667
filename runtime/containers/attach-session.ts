import { connectToContainer } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import type { AttachSession } from '../streaming/streaming-runtime.ts';
import { runningStart } from './exec.ts';
import { getContainer } from './status.ts';

/** Joins a container's main process to a client's streams until it ends or the client goes. */
export async function runAttachSession(runtime: Runtime, session: AttachSession): Promise<void> {
  const container = getContainer(runtime, session.containerId);
  runningStart(container);
  const { stdin, stdout, stderr, signal, onResize } = session;
  await using connection = await connectToContainer(runtime.containers.volatileDirectoryOf(container.id));
  onResize(
    ({ width, height }) => void connection.resize({ columns: width, rows: height }).catch(() => undefined),
  );
  connection.attach({
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
  });
  const { stdinOnce, tty } = container.config;
  const isOnlyInput = stdinOnce && !tty;
  const typed = stdin === undefined ? Promise.resolve() : passOn(connection, stdin, isOnlyInput);
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => leave(), { once: true });
  if (signal.aborted) leave();
  // The end of the input is the end, unless the container ends by it and has something to show (containerd: cri/io Attach).
  const showsMore = isOnlyInput && (stdout !== undefined || stderr !== undefined);
  const endsWithInput = stdin !== undefined && !showsMore;
  await Promise.race([connection.ended, gone, ...(endsWithInput ? [typed] : [])]);
}

async function passOn(
  connection: { writeStdin(data: Buffer): Promise<void>; closeStdin(): Promise<void> },
  stdin: AsyncIterable<Buffer>,
  once: boolean,
): Promise<void> {
  try {
    for await (const data of stdin) await connection.writeStdin(data);
    if (once) await connection.closeStdin();
  } catch {
    // The container has ended or the client has gone; the session ends by that.
  }
}
