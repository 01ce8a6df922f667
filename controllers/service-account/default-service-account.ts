import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../client/errors.ts';
import { namespaces, serviceAccounts } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';

const name = 'default';

/** Every namespace has a ServiceAccount `default`, made again when someone deletes it. */
export const defaultServiceAccountController: ControllerFactory = (context) => {
  const { client, informers } = context;
  const namespaceInformer = informers.informer(namespaces);
  const accountInformer = informers.informer(serviceAccounts);

  const reconciler = createReconciler({
    name: 'serviceaccount',
    context,
    async reconcile(namespace) {
      const found = namespaceInformer.lister.getByKey(namespace);
      if (found === undefined || found.metadata?.deletionTimestamp !== undefined) return;
      if (accountInformer.lister.get({ name, namespace }) !== undefined) return;
      const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
      try {
        await client.resource(serviceAccounts).create({ object });
      } catch (error) {
        if (isAlreadyExists(error) || isNotFound(error) || isNamespaceTerminating(error)) return;
        throw error;
      }
    },
  });
  reconciler.follow(namespaceInformer);
  reconciler.follow(accountInformer, ({ metadata }) =>
    metadata?.name === name ? [metadata.namespace ?? ''] : [],
  );
  return reconciler;
};
