import { setTimeout as delay } from 'node:timers/promises';

/**
 * Named places where a test can make the program die, fail or wait: `await failpoint('csi.stage.after-mkfs')` does nothing
 * unless that name was set, by PODWRIGHT_FAILPOINTS of the process or by setFailpoint() in it.
 *
 *   PODWRIGHT_FAILPOINTS='csi.stage.after-mkfs=crash;cloud.attach.after-device=1*error(lost);cloud.snapshot.at-rest=sleep(200)'
 *
 * `crash` is SIGKILL to this very process: nothing is flushed, closed or undone. `error` throws FailpointError. `N*` in
 * front: only the first N times. The same idea and notation as gofail and the BSDs' fail(9).
 */
export async function failpoint(name: string): Promise<void> {
  const points = (active ??= parseFailpoints(process.env['PODWRIGHT_FAILPOINTS'] ?? ''));
  if (points.size === 0) return;
  const point = points.get(name);
  if (point === undefined || point.left === 0) return;
  point.left -= 1;
  await point.act(name);
}

/** What an `error` failpoint throws: `failpoint NAME: MESSAGE`. */
export class FailpointError extends Error {
  readonly failpoint: string;

  constructor(name: string, message: string) {
    super(`failpoint ${name}: ${message}`);
    this.name = 'FailpointError';
    this.failpoint = name;
  }
}

/**
 * Sets a failpoint of this process, in the notation of PODWRIGHT_FAILPOINTS or as a function that is called (and
 * awaited) each time it is passed. Dispose to take it away. Throws when the action is not understood.
 */
export function setFailpoint(name: string, action: string | ((name: string) => unknown)): Disposable {
  active ??= parseFailpoints(process.env['PODWRIGHT_FAILPOINTS'] ?? '');
  const point = typeof action === 'string' ? parseAction(name, action) : { left: Infinity, act: action };
  active.set(name, point);
  return {
    [Symbol.dispose]() {
      if (active?.get(name) === point) active.delete(name);
    },
  };
}

interface Failpoint {
  /** How many times it still acts. */
  left: number;
  act(name: string): unknown;
}

let active: Map<string, Failpoint> | undefined;

/** Parses `name=action;name=action`. Throws when one is not understood: a misspelled fault would test nothing. */
export function parseFailpoints(text: string): Map<string, Failpoint> {
  const points = new Map<string, Failpoint>();
  for (const item of text.split(';').map((part) => part.trim())) {
    if (item === '') continue;
    const [name, action] = splitOnce(item, '=');
    points.set(name.trim(), parseAction(name.trim(), action.trim()));
  }
  return points;
}

function parseAction(name: string, text: string): Failpoint {
  const match = /^(?:(\d+)\*)?(crash|error|sleep|off)(?:\(([^)]*)\))?$/.exec(text);
  if (name === '' || match === null) {
    throw new Error(
      `failpoint '${name}=${text}' not understood; actions are crash, error, error(message), sleep(ms), off, N*action`,
    );
  }
  const [, times, kind = '', argument] = match;
  return { left: times === undefined ? Infinity : Number(times), act: actions[kind]?.(argument) ?? nothing };
}

const nothing = () => undefined;

const actions: Record<string, (argument: string | undefined) => (name: string) => unknown> = {
  crash: () => () => process.kill(process.pid, 'SIGKILL'),
  error: (message) => (name) => {
    throw new FailpointError(name, message ?? 'asked to fail here');
  },
  sleep: (ms) => () => delay(Number(ms ?? 0)),
};

const splitOnce = (text: string, separator: string): [string, string] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};
