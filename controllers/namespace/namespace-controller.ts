import type { Namespace } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { namespaces, pods } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { conditionsOf } from './conditions.ts';
import { deleteContent } from './content.ts';

const finalizer = 'kubernetes';

/**
 * Empties a namespace that is being deleted, tells in its conditions what remains, and takes the finalizer
 * `kubernetes` away when nothing does.
 */
export const namespaceController: ControllerFactory = (context) => {
  const { client, informers, clock } = context;
  const resource = client.resource(namespaces);
  const informer = informers.informer(namespaces);

  const reconcile = async (name: string) => {
    const known = informer.lister.getByKey(name);
    if (known?.metadata?.deletionTimestamp === undefined) return undefined;
    const namespace = await resource.get({ name });
    if (namespace.metadata?.deletionTimestamp === undefined) return undefined;
    if (!(namespace.spec?.finalizers ?? []).includes(finalizer)) return undefined;
    const outcome = await deleteContent({ client, namespace: name });
    const conditions = conditionsOf(namespace, { outcome, nowMs: clock.now() });
    const isDone = outcome.remaining.size === 0 && outcome.errors.length === 0;
    if (conditions !== namespace.status?.conditions) {
      const status = { ...namespace.status, phase: 'Terminating', conditions };
      const updated = await resource.updateStatus({ object: { ...namespace, status } });
      if (isDone) await finalize(updated);
    } else if (isDone) await finalize(namespace);
    return isDone ? undefined : { retryAfterMs: outcome.errors.length > 0 ? 1000 : outcome.estimateMs };
  };

  const finalize = async (namespace: Namespace) => {
    const name = namespace.metadata?.name ?? '';
    const finalizers = (namespace.spec?.finalizers ?? []).filter((other) => other !== finalizer);
    const object = { ...namespace, spec: { ...namespace.spec, finalizers } };
    await resource.subresource<Namespace>('finalize').update({ name, object });
  };

  const reconciler = createReconciler({
    name: 'namespace',
    context,
    reconcile: async (name) => {
      try {
        return await reconcile(name);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
  });
  reconciler.follow(informer);
  // The last pod of a dying namespace is what it mostly waits for.
  const unfollow = informers.informer(pods).addHandler({
    delete({ metadata }) {
      const name = metadata?.namespace ?? '';
      if (informer.lister.getByKey(name)?.metadata?.deletionTimestamp !== undefined)
        reconciler.queue.add(name);
    },
  });
  return {
    stop() {
      unfollow();
      return reconciler.stop();
    },
  };
};
