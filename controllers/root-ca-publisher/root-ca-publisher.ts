import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../client/errors.ts';
import { configMaps, namespaces } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';

const name = 'kube-root-ca.crt';
/** Upstream's words: it tells users what the ConfigMap is for. */
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as ' +
  'the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of ' +
  'Kubernetes clusters.';

/** Every namespace has a ConfigMap `kube-root-ca.crt`, which pods get beside their token. */
export const rootCaPublisher =
  (rootCaPem: string): ControllerFactory =>
  (context) => {
    const { client, informers } = context;
    const namespaceInformer = informers.informer(namespaces);
    const configMapInformer = informers.informer(configMaps, { fieldSelector: `metadata.name=${name}` });
    const data = { 'ca.crt': rootCaPem };

    const reconciler = createReconciler({
      name: 'root-ca-cert-publisher',
      context,
      async reconcile(namespace) {
        const found = namespaceInformer.lister.getByKey(namespace);
        if (found === undefined || found.metadata?.deletionTimestamp !== undefined) return;
        const present = configMapInformer.lister.get({ name, namespace });
        const annotations = { 'kubernetes.io/description': description };
        const resource = client.resource(configMaps);
        if (present !== undefined) {
          const isSame =
            Object.keys(present.data ?? {}).length === 1 && present.data?.['ca.crt'] === rootCaPem;
          if (isSame && present.metadata?.annotations?.['kubernetes.io/description'] !== undefined) return;
          const metadata = {
            ...present.metadata,
            annotations: { ...present.metadata?.annotations, ...annotations },
          };
          await resource.update({ object: { ...present, metadata, data } });
          return;
        }
        const metadata = { name, namespace, annotations };
        try {
          await resource.create({ object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } });
        } catch (error) {
          if (isAlreadyExists(error) || isNotFound(error) || isNamespaceTerminating(error)) return;
          throw error;
        }
      },
    });
    reconciler.follow(namespaceInformer);
    reconciler.follow(configMapInformer, ({ metadata }) =>
      metadata?.name === name ? [metadata.namespace ?? ''] : [],
    );
    return reconciler;
  };
