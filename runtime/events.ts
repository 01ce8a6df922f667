import type { ContainerEventResponse, ContainerEventType, Sent } from './cri/types.ts';

type Listener = (event: Sent<ContainerEventResponse>) => void;

/** What happened to containers and sandboxes, for everyone who asked by GetContainerEvents. */
export interface ContainerEvents {
  subscribe(listener: Listener): Disposable;
  /** `describe` is asked for the event only when somebody listens. */
  publish(type: ContainerEventType, describe: () => Sent<ContainerEventResponse>): void;
}

export function createContainerEvents(): ContainerEvents {
  const listeners = new Set<Listener>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    publish(type, describe) {
      if (listeners.size === 0) return;
      const event = { ...describe(), containerEventType: type };
      for (const listener of listeners) listener(event);
    },
  };
}
