import type { Endpoint } from '../context.ts';
import { bindPod } from './binding.ts';
import { connectPod, streamLog } from './connect.ts';
import { evictPod } from './eviction.ts';
import { proxyNode, proxyPod } from './proxy.ts';
import { requestToken } from './token.ts';

/** Subresources that are more than a part of their object. */
export const subresourceEndpoints: Record<string, Endpoint> = {
  'pods/attach': connectPod,
  'pods/binding': bindPod,
  'pods/eviction': evictPod,
  'pods/exec': connectPod,
  'pods/log': streamLog,
  'pods/portforward': connectPod,
  'pods/proxy': proxyPod,
  'nodes/proxy': proxyNode,
  'serviceaccounts/token': requestToken,
};
