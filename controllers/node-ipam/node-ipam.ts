import { nodes } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { createSubnets } from './subnets.ts';

const nodePrefixLength = 24;

/**
 * Gives each node without one a part of the cluster's network for its pods (spec.podCIDR). The first /24 is
 * never given: it holds the nodes' own addresses.
 */
export const nodeIpamController =
  (clusterCidr: string): ControllerFactory =>
  (context) => {
    const { client, informers } = context;
    const informer = informers.informer(nodes);
    const subnets = createSubnets({ cidr: clusterCidr, prefixLength: nodePrefixLength });
    /** Handed out, and perhaps not in the lister yet. */
    const given = new Map<string, string>();

    const reconciler = createReconciler({
      name: 'nodeipam',
      context,
      concurrency: 1,
      async reconcile(name) {
        const node = informer.lister.getByKey(name);
        if (node === undefined) {
          given.delete(name);
          return;
        }
        if ((node.spec?.podCIDR ?? '') !== '') {
          given.set(name, node.spec?.podCIDR ?? '');
          return;
        }
        const taken = informer.lister.list().flatMap(({ spec }) => spec?.podCIDR ?? []);
        const podCIDR = subnets.firstFree(new Set([...taken, ...given.values()]));
        if (podCIDR === undefined) {
          const message = `Node ${name} status is now: CIDRNotAvailable`;
          context.recorder('cidrAllocator').event({
            object: { apiVersion: 'v1', kind: 'Node', name, uid: node.metadata?.uid ?? '' },
            type: 'Normal',
            reason: 'CIDRNotAvailable',
            message,
          });
          throw new Error(`no part of ${clusterCidr} is left for node ${name}`);
        }
        const patch = { spec: { podCIDR, podCIDRs: [podCIDR] } };
        await client.resource(nodes).patch({ name, type: 'strategic', patch });
        given.set(name, podCIDR);
      },
    });
    reconciler.follow(informer);
    return reconciler;
  };
