import type { Node } from '../api/types.ts';
import { createInformer } from '../client/informer.ts';
import { nodes } from '../client/resources.ts';
import type { Client } from '../client/rest.ts';

/** A node takes Pods: Ready by its condition, as `kubectl get nodes` shows it, and free of the taint that said it was not. */
export const isReady = ({ spec, status }: Node): boolean =>
  (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True') &&
  !(spec?.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/not-ready');

/** Resolves when as many nodes are Ready, when the time is up, or when the signal aborts: for work that may come later. */
export async function whenNodesReady(
  client: Client,
  { count, timeoutMs, signal }: { count: number; timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const informer = createInformer({ client, resource: nodes });
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (informer.lister.list().filter(isReady).length >= count) resolve();
  };
  const timer = setTimeout(resolve, timeoutMs);
  signal.addEventListener('abort', () => resolve());
  informer.addHandler({ add: look, update: look });
  informer.start();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    await informer.stop();
  }
}
