import { nodeNameOf } from '../authentication/user.ts';
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
    return this.#special(node, attributes) ?? byRules(attributes);
  }

  /** The resources of which a node may see only its part; undefined for all others. */
  #special(node: string, attributes: Attributes): Decision | undefined {
    const { group, resource, subresource, verb } = attributes;
    if (!attributes.isResource) return undefined;
    switch (`${group}/${resource}`) {
      case '/secrets':
      case '/configmaps':
        return this.#read(node, attributes, READ);
      case '/persistentvolumeclaims':
        return this.#read(node, attributes, subresource === 'status' ? ['get', 'update', 'patch'] : ['get']);
      case '/serviceaccounts':
        return this.#read(node, attributes, subresource === 'token' ? ['create'] : ['get']);
      case '/pods':
        return subresource === '' && READ.includes(verb) ? this.#readPods(node, attributes) : undefined;
      case 'coordination.k8s.io/leases':
        return ownLease(node, attributes);
      case 'storage.k8s.io/csinodes':
        return named(node, attributes);
      default:
        return undefined;
    }
  }

  #read(node: string, attributes: Attributes, verbs: string[]): Decision {
    const { verb, resource, namespace, name } = attributes;
    if (!verbs.includes(verb)) return refuse(`can only ${listed(verbs)} resources of this type`);
    if (name === '') return refuse('can only read resources of this type with a name');
    if (this.#graph.needs(node, { resource, namespace, name })) return ALLOWED;
    return refuse(`no relationship found between node '${node}' and this object`);
  }

  #readPods(node: string, { verb, namespace, name, fieldSelector }: Attributes): Decision {
    if (verb === 'get' || name !== '') {
      if (this.#graph.needs(node, { resource: 'pods', namespace, name })) return ALLOWED;
      // A Pod that is gone tells nobody's secrets: the kubelet is to learn from the 404 that it is gone.
      return verb === 'get' && this.#isGone({ namespace, name })
        ? ALLOWED
        : refuse(`no relationship found between node '${node}' and this object`);
    }
    if (requiresNode(fieldSelector, node)) return ALLOWED;
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

function ownLease(node: string, { verb, namespace, name }: Attributes): Decision {
  if (namespace !== 'kube-node-lease')
    return refuse('can only access leases in the "kube-node-lease" system namespace');
  const allowed = ['get', 'create', 'update', 'patch', 'delete'];
  if (!allowed.includes(verb)) return refuse(`can only ${listed(allowed)} a node lease`);
  if (verb !== 'create' && name !== node)
    return refuse('can only access node lease with the same name as the requesting node');
  return ALLOWED;
}

function named(node: string, { verb, name }: Attributes): Decision {
  if (verb !== 'create' && name !== node)
    return refuse('can only access CSINode with the same name as the requesting node');
  return ALLOWED;
}

const listed = (verbs: string[]): string => verbs.join(', ');

const refuse = (reason: string): Decision => ({ allowed: false, reason });

const byRules = (attributes: Attributes): Decision =>
  NODE_RULES.some((rule) => ruleAllows(rule, attributes)) ? ALLOWED : NO_OPINION;
