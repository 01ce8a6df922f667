import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { annotationNames } from '../containers/labels.ts';

const maxMessageBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;

/** The termination messages of ended containers, each read once. */
export function createTerminationMessages(): (container: RuntimeContainer) => string {
  const known = new Map<string, string>();
  return (container) => {
    const message = known.get(container.id) ?? readMessage(container);
    known.set(container.id, message);
    // A message is asked for again only while its container exists; a thousand are enough for that.
    if (known.size > 1000) known.delete(known.keys().next().value ?? '');
    return message;
  };
}

/** The runtime's own message, the file at terminationMessagePath, or the end of the log (FallbackToLogsOnError). */
function readMessage(container: RuntimeContainer): string {
  const { annotations, message, exitCode, reason, logPath } = container;
  const written = readFile(container, annotations[annotationNames.terminationMessagePath] ?? '');
  const fallsBack =
    annotations[annotationNames.terminationMessagePolicy] === 'FallbackToLogsOnError' &&
    exitCode !== 0 &&
    reason !== 'ContainerCannotRun';
  const text = written === '' && fallsBack ? endOfLog(logPath) : written;
  if (!text) return message;
  return message ? `${message}: ${text}` : text;
}

function readFile({ mounts }: RuntimeContainer, path: string): string {
  const mount = path && mounts.find(({ containerPath }) => containerPath === path);
  return mount ? readTail(mount.hostPath, maxMessageBytes) : '';
}

/** The last lines of the container's log without CRI's frame. */
function endOfLog(logPath: string): string {
  const tail = readTail(logPath, 64 * 1024);
  const lines = tail.split('\n').slice(-maxLogLines - 1);
  const text = lines.map(unframed).join('');
  return Buffer.from(text).subarray(-maxLogBytes).toString();
}

function unframed(line: string): string {
  const match = /^\S+ (?:stdout|stderr) ([PF])(?::\S+)? (.*)$/.exec(line);
  return match ? `${match[2]}${match[1] === 'F' ? '\n' : ''}` : '';
}

/**
 * The last bytes of a file; nothing when it isn't there, or is no file: the Pod may have mounted a FIFO at this place, for whose writer the
 * whole node would wait, or a device, which root must not open for it.
 */
function readTail(path: string, maxBytes: number): string {
  if (!path) return '';
  let file: number;
  try {
    if (!statSync(path).isFile()) return '';
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // The Pod's folder may be gone already: then there is no message left to show.
    return '';
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const read = readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.subarray(0, read).toString();
  } finally {
    closeSync(file);
  }
}
