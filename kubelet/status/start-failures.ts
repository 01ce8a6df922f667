import type { StartReason } from '../containers/start-error.ts';

export interface StartFailure {
  reason: StartReason;
  message: string;
}

/** Why containers did not start at the last try; the Pod's status shows it (upstream: reason cache). */
export interface StartFailures {
  get(podUid: string, container: string): StartFailure | undefined;
  set(podUid: string, container: string, failure: StartFailure | undefined): void;
  forget(podUid: string): void;
}

export function createStartFailures(): StartFailures {
  const failures = new Map<string, Map<string, StartFailure>>();
  return {
    get: (podUid, container) => failures.get(podUid)?.get(container),
    set(podUid, container, failure) {
      const ofPod = failures.get(podUid) ?? new Map<string, StartFailure>();
      failures.set(podUid, ofPod);
      if (failure) ofPod.set(container, failure);
      else ofPod.delete(container);
    },
    forget: (podUid) => failures.delete(podUid),
  };
}
