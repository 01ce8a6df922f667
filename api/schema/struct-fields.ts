/**
 * Fields whose Go type is a struct itself and no pointer to one: however empty, they are always there, which no model of the client
 * package tells (k8s.io/api, v0.36). Metadata is one everywhere.
 */
const byPackage: Record<string, string[]> = {
  'io.k8s.api.coordination.v1': ['Lease.spec'],
  'io.k8s.api.core.v1': [
    'Container.resources',
    'ContainerStatus.lastState',
    'ContainerStatus.state',
    'EphemeralContainer.resources',
    'Event.involvedObject',
    'Event.source',
    'LimitRange.spec',
    'Namespace.spec',
    'Namespace.status',
    'Node.spec',
    'Node.status',
    'NodeDaemonEndpoints.kubeletEndpoint',
    'NodeStatus.daemonEndpoints',
    'NodeStatus.nodeInfo',
    'PersistentVolume.spec',
    'PersistentVolume.status',
    'PersistentVolumeClaim.spec',
    'PersistentVolumeClaim.status',
    'PersistentVolumeClaimSpec.resources',
    'PersistentVolumeClaimTemplate.spec',
    'Pod.spec',
    'Pod.status',
    'PodTemplate.template',
    'PodTemplateSpec.spec',
    'PreferredSchedulingTerm.preference',
    'ResourceQuota.spec',
    'ResourceQuota.status',
    'Service.spec',
    'Service.status',
    'ServiceStatus.loadBalancer',
    'WeightedPodAffinityTerm.podAffinityTerm',
  ],
  'io.k8s.api.discovery.v1': ['Endpoint.conditions'],
  'io.k8s.api.events.v1': ['Event.deprecatedSource', 'Event.regarding'],
  'io.k8s.api.rbac.v1': ['ClusterRoleBinding.roleRef', 'RoleBinding.roleRef'],
  'io.k8s.api.storage.v1': [
    'CSIDriver.spec',
    'CSINode.spec',
    'VolumeAttachment.spec',
    'VolumeAttachment.status',
    'VolumeAttachmentSpec.source',
  ],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': [
    'CustomResourceDefinition.spec',
    'CustomResourceDefinition.status',
    'CustomResourceDefinitionSpec.names',
    'CustomResourceDefinitionStatus.acceptedNames',
  ],
};

/** As `DEFINITION.field`. */
export const structFields = new Set(
  Object.entries(byPackage).flatMap(([name, fields]) => fields.map((field) => `${name}.${field}`)),
);
