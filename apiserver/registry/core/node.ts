import type { Node } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../printers/columns.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function statusOf({ status, spec }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function rolesOf({ metadata }: Node): string {
  const labels = Object.entries(metadata?.labels ?? {});
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === 'kubernetes.io/role' ? [value] : [];
  });
  return [...new Set(roles.filter(Boolean))].toSorted().join(',') || '<none>';
}

const addressOf = ({ status }: Node, type: string): string =>
  status?.addresses?.find((address) => address.type === type)?.address ?? '<none>';

function kernelOf({ status }: Node): string {
  const { kernelVersion, architecture } = status?.nodeInfo ?? {};
  return `${kernelVersion || '<unknown>'}${architecture ? ` (${architecture})` : ''}`;
}

const keepStatus = (node: Node, old: Node): void => {
  if (old.status === undefined) delete node.status;
  else node.status = old.status;
};

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  namespaced: false,
  verbs: ALL_VERBS,
  columns: [
    nameColumn(),
    text('Status', 'The status of the node', statusOf),
    text('Roles', 'The roles of the node', rolesOf),
    ageColumn(),
    text(
      'Version',
      'Kubelet Version reported by the node.',
      ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
    ),
    wide(
      text('Internal-IP', 'List of addresses reachable to the node.', (object) =>
        addressOf(object, 'InternalIP'),
      ),
    ),
    wide(
      text('External-IP', 'List of addresses reachable to the node.', (object) =>
        addressOf(object, 'ExternalIP'),
      ),
    ),
    wide(
      text(
        'OS-Image',
        'OS Image reported by the node from /etc/os-release.',
        ({ status }) => status?.nodeInfo?.osImage || '<unknown>',
      ),
    ),
    wide(text('Kernel-Version', "Kernel Version reported by the node from 'uname -r'.", kernelOf)),
    wide(
      text(
        'Container-Runtime',
        'ContainerRuntime Version reported by the node through runtime remote API.',
        ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
      ),
    ),
  ],
  strategy: { prepareForUpdate: keepStatus },
  subresources: [
    { name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    {
      name: 'status',
      kind: 'Node',
      verbs: ['get', 'patch', 'update'],
      strategy: {
        prepareForUpdate: (object, old) => {
          if (old.spec !== undefined) object.spec = old.spec;
        },
      },
    },
  ],
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable ?? false) }),
});
