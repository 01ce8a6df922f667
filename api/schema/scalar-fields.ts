/** What the client package's models leave out about single fields (k8s.io/api, v0.36). */

const packageOfQuantities = {
  'io.k8s.api.autoscaling.v2': [
    'HPAScalingRules.tolerance',
    'MetricTarget.averageValue',
    'MetricTarget.value',
    'MetricValueStatus.averageValue',
    'MetricValueStatus.value',
  ],
  'io.k8s.api.core.v1': [
    'ContainerStatus.allocatedResources',
    'EmptyDirVolumeSource.sizeLimit',
    'LimitRangeItem.default',
    'LimitRangeItem.defaultRequest',
    'LimitRangeItem.max',
    'LimitRangeItem.maxLimitRequestRatio',
    'LimitRangeItem.min',
    'NodeAllocatableResourceClaimStatus.resources',
    'NodeStatus.allocatable',
    'NodeStatus.capacity',
    'PersistentVolumeClaimStatus.allocatedResources',
    'PersistentVolumeClaimStatus.capacity',
    'PersistentVolumeSpec.capacity',
    'PodSpec.overhead',
    'PodStatus.allocatedResources',
    'ResourceFieldSelector.divisor',
    'ResourceQuotaSpec.hard',
    'ResourceQuotaStatus.hard',
    'ResourceQuotaStatus.used',
    'ResourceRequirements.limits',
    'ResourceRequirements.requests',
    'VolumeResourceRequirements.limits',
    'VolumeResourceRequirements.requests',
  ],
  'io.k8s.api.node.v1': ['Overhead.podFixed'],
  'io.k8s.api.storage.v1': ['CSIStorageCapacity.capacity', 'CSIStorageCapacity.maximumVolumeSize'],
};

const quantitiesOfEveryResourceVersion = [
  'CapacityRequestPolicy.default',
  'CapacityRequestPolicy.validValues',
  'CapacityRequestPolicyRange.max',
  'CapacityRequestPolicyRange.min',
  'CapacityRequestPolicyRange.step',
  'CapacityRequirements.requests',
  'Counter.value',
  'DeviceCapacity.value',
  'DeviceRequestAllocationResult.consumedCapacity',
  'NodeAllocatableResourceMapping.allocationMultiplier',
];

/** Fields whose strings (or the strings in them) are quantities, as `DEFINITION.field`. */
export const quantityFields = new Set([
  ...Object.entries(packageOfQuantities).flatMap(([name, fields]) =>
    fields.map((field) => `${name}.${field}`),
  ),
  ...['v1', 'v1beta1', 'v1beta2'].flatMap((version) =>
    quantitiesOfEveryResourceVersion.map((field) => `io.k8s.api.resource.${version}.${field}`),
  ),
]);

const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** The types of the fields that the models call `any`, where it is not a free object (RawExtension). */
export const untypedFields: Record<string, string> = {
  'io.k8s.api.apiserverinternal.v1alpha1.StorageVersion.spec':
    'io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec',
  'io.k8s.api.scheduling.v1alpha2.PodGroupSchedulingPolicy.basic':
    'io.k8s.api.scheduling.v1alpha2.BasicSchedulingPolicy',
  [`${extensions}.CustomResourceSubresources.status`]: `${extensions}.CustomResourceSubresourceStatus`,
  [`${extensions}.JSONSchemaProps.additionalItems`]: `${extensions}.JSONSchemaPropsOrBool`,
  [`${extensions}.JSONSchemaProps.additionalProperties`]: `${extensions}.JSONSchemaPropsOrBool`,
  [`${extensions}.JSONSchemaProps.default`]: `${extensions}.JSON`,
  [`${extensions}.JSONSchemaProps.dependencies`]: `${extensions}.JSONSchemaPropsOrStringArray`,
  [`${extensions}.JSONSchemaProps.enum`]: `${extensions}.JSON`,
  [`${extensions}.JSONSchemaProps.example`]: `${extensions}.JSON`,
  [`${extensions}.JSONSchemaProps.items`]: `${extensions}.JSONSchemaPropsOrArray`,
  'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry.fieldsV1':
    'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
};

/** Types whose whole value is replaced by an apply (`+structType=atomic`), as definition names without `io.k8s.api.`. */
export const atomicStructs = new Set(
  [
    'autoscaling.v1 CrossVersionObjectReference',
    'core.v1 ConfigMapKeySelector EndpointAddress EndpointPort FileKeySelector LocalObjectReference NodeSelector',
    'core.v1 NodeSelectorTerm ObjectFieldSelector ObjectReference ResourceFieldSelector ScopeSelector SecretKeySelector',
    'core.v1 SecretReference TopologySelectorTerm TypedLocalObjectReference',
    'discovery.v1 EndpointPort',
    'networking.v1 ServiceBackendPort',
    'rbac.v1 RoleRef Subject',
    'admissionregistration.v1 MatchResources NamedRuleWithOperations ParamKind ParamRef Variable',
    'admissionregistration.v1alpha1 MatchResources NamedRuleWithOperations ParamKind ParamRef',
    'admissionregistration.v1beta1 MatchResources NamedRuleWithOperations ParamKind ParamRef Variable',
  ].flatMap((line) => {
    const [packageName, ...types] = line.split(' ');
    return types.map((type) => `io.k8s.api.${packageName}.${type}`);
  }),
)
  .add('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector')
  .add('io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference');
