import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEventCounter } from '../linux/event-counter.ts';
import { watchPath } from '../linux/inotify.ts';
import type { CgroupDirectory } from './controllers/controller.ts';
import { oomFile, oomKills } from './controllers/memory.ts';
import { hasCode } from '../linux/system-error.ts';

/** Calls `listener` with the number of OOM kills each time it has grown: by inotify on v2, by an eventfd on v1. */
export function watchOomKills(directory: CgroupDirectory, listener: (kills: number) => void): Disposable {
  let known = oomKills(directory);
  const check = () => {
    const kills = killsNow(directory);
    if (kills === undefined || kills <= known) return;
    known = kills;
    listener(kills);
  };
  if (directory.version === 2) return watchPath(oomFile(directory), ['modify'], check, { keepAlive: false });
  return watchLegacy(directory, check);
}

function killsNow(directory: CgroupDirectory): number | undefined {
  try {
    return oomKills(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV')) return undefined; // the event of the cgroup's end
    throw error;
  }
}

// The event comes when memory runs out, before the kill is counted; the count follows within moments.
function watchLegacy(directory: CgroupDirectory, check: () => void): Disposable {
  const timers = new Set<NodeJS.Timeout>();
  const counter = createEventCounter(() => {
    check();
    for (const delayMs of [5, 50, 500]) timers.add(setTimeout(check, delayMs).unref());
  });
  const control = openSync(oomFile(directory), 'r');
  try {
    writeFileSync(join(directory.path, 'cgroup.event_control'), `${counter.fd} ${control}`);
  } finally {
    closeSync(control);
  }
  return {
    [Symbol.dispose]() {
      timers.forEach(clearTimeout);
      counter[Symbol.dispose]();
    },
  };
}
