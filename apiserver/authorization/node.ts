import { nodeNameOf } from '../authentication/user.ts';
import { quote } from '../../api/go-format.ts';
import { parseFieldSelector } from '../../api/selectors/fields.ts';
import type { Stores } from '../storage/stores.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { NODE_RULES } from '../bootstrap/node-rules.ts';
import { NodeGraph } from './node-graph.ts';
import { ruleAllows } from './rules.ts';

const ALLOWED: Decision = { allowed: true, reason: '' };
const NO_OPINION: Decision = { allowed: false, reason: '' };
const READ = ['get', 'list', 'watch'];

/** What kubelets may do: their own node, and what the Pods bound to it need (https://kubernetes.io/docs/reference/access-authn-authz/node/). */
export class NodeAuthorizer implements Authorizer {
  readonly #graph: NodeGraph;
  readonly #stores: Stores;

  constructor(stores: Stores) {
    this.#stores = stores;
    this.#graph = new NodeGraph(stores);
  }

  authorize(attributes: Attributes): Decision {
    const node = nodeNameOf(attributes.user);
    if (node === undefined) return NO_OPINION;
    // Else a list of all nodes, which has no name either, would be one of this node.
    if (node === '') return refuse(`unknown node for user ${quote(attributes.user.username)}`);
    return this.#special(node, attributes) ?? byRules(attributes);
  }

  /** The resources of which a node may see only its part; undefined for all others. */
  #special(node: string, attributes: Attributes): Decision | undefined {
    const { group, resource, subresource, verb } = attributes;
    if (!attributes.isResource) return undefined;
    switch (`${group}/${resource}`) {
      case '/secrets':
      case '/configmaps':
        return this.#readNamespaced(node, attributes);
      case '/persistentvolumeclaims':
        return this.#claim(node, attributes);
      case '/persistentvolumes':
      case 'storage.k8s.io/volumeattachments':
        return this.#getOne(node, attributes);
      case '/serviceaccounts':
        return this.#account(node, attributes);
      case '/nodes':
        return READ.includes(verb) && subresource === '' ? ownNode(node, attributes) : undefined;
      case '/pods':
        return subresource === '' && READ.includes(verb) ? this.#readPods(node, attributes) : undefined;
      case 'coordination.k8s.io/leases':
        return ownLease(node, attributes);
      case 'storage.k8s.io/csinodes':
        return ownCsiNode(node, attributes);
      default:
        return undefined;
    }
  }

  /** One object that a Pod on the node refers to. */
  #related(node: string, { resource, namespace, name }: Attributes): Decision {
    if (name === '') return refuse('No Object name found');
    if (this.#graph.needs(node, { resource, namespace, name })) return ALLOWED;
    return refuse(`no relationship found between node '${node}' and this object`);
  }

  #readNamespaced(node: string, attributes: Attributes): Decision {
    if (!READ.includes(attributes.verb)) return refuse('can only read resources of this type');
    if (attributes.subresource !== '') return refuse('cannot read subresource');
    if (attributes.namespace === '') return refuse('can only read namespaced object of this type');
    return this.#related(node, attributes);
  }

  /** One object without its parts: no lists, because a node may not see those of others. */
  #getOne(node: string, attributes: Attributes): Decision {
    if (attributes.verb !== 'get') return refuse('can only get individual resources of this type');
    if (attributes.subresource !== '') return refuse('cannot get subresource');
    return this.#related(node, attributes);
  }

  #claim(node: string, attributes: Attributes): Decision {
    const { verb, subresource, name } = attributes;
    // More than upstream, which allows get alone: a watch of one claim tells its kubelet no more, and at once that it has grown.
    if (subresource === '' && name !== '' && READ.includes(verb)) return this.#related(node, attributes);
    if (subresource !== 'status') return this.#getOne(node, attributes);
    if (verb !== 'update' && verb !== 'patch') return refuse('can only get/update/patch this type');
    return this.#related(node, attributes);
  }

  #account(node: string, attributes: Attributes): Decision {
    const { verb, subresource, name } = attributes;
    if (verb === 'get' && subresource === '') return this.#related(node, attributes);
    if (verb !== 'create' || name === '')
      return refuse('can only create tokens for individual service accounts');
    if (subresource !== 'token') return refuse('can only create token subresource of serviceaccount');
    return this.#related(node, attributes);
  }

  #readPods(node: string, { verb, namespace, name, fieldSelector }: Attributes): Decision {
    if (verb !== 'get' && requiresNode(fieldSelector, node)) return ALLOWED;
    if (verb === 'get' || name !== '') {
      if (this.#graph.needs(node, { resource: 'pods', namespace, name })) return ALLOWED;
      // A Pod that is gone tells nobody's secrets: the kubelet is to learn from the 404 that it is gone.
      return verb === 'get' && this.#isGone({ namespace, name })
        ? ALLOWED
        : refuse(`no relationship found between node '${node}' and this object`);
    }
    return refuse('can only list/watch pods with spec.nodeName field selector');
  }

  #isGone(place: { namespace: string; name: string }): boolean {
    return this.#stores.named('', 'pods').peek(place) === undefined;
  }
}

function requiresNode(selector: string | undefined, node: string): boolean {
  try {
    return parseFieldSelector(selector ?? '').requires('spec.nodeName') === node;
  } catch {
    // The endpoint will answer 400 to a selector that cannot be read; it grants nothing.
    return false;
  }
}

function ownNode(node: string, { name }: Attributes): Decision {
  if (name === node) return ALLOWED;
  const other = name === '' ? 'all nodes' : `'${name}'`;
  return refuse(`node '${node}' cannot read ${other}, only its own Node object`);
}

const LEASE_VERBS = ['get', 'create', 'update', 'patch', 'delete'];

function ownLease(node: string, { verb, namespace, name }: Attributes): Decision {
  if (!LEASE_VERBS.includes(verb))
    return refuse('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease')
    return refuse('can only access leases in the "kube-node-lease" system namespace');
  if (verb === 'create' || name === node) return ALLOWED;
  return refuse('can only access node lease with the same name as the requesting node');
}

function ownCsiNode(node: string, { verb, name, subresource }: Attributes): Decision {
  if (!LEASE_VERBS.includes(verb)) return refuse('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return refuse('cannot authorize CSINode subresources');
  if (verb === 'create' || name === node) return ALLOWED;
  return refuse('can only access CSINode with the same name as the requesting node');
}

const refuse = (reason: string): Decision => ({ allowed: false, reason });

const byRules = (attributes: Attributes): Decision =>
  NODE_RULES.some((rule) => ruleAllows(rule, attributes)) ? ALLOWED : NO_OPINION;
