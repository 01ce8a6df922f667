/**
 * How lists and maps of the Kubernetes types are merged, by definition and field. It is what the `+listType`, `+listMapKey`,
 * `+mapType`, `patchStrategy` and `patchMergeKey` markers of the upstream types say (k8s.io/api, v0.36), which the client
 * package's models leave out. A list that is not here is atomic; `items` of a list kind is plain.
 *
 *     plain | atomic | set | map by KEY,KEY | granular map | atomic map      x-kubernetes-list-type, -list-map-keys, -map-type
 *     patch STRATEGY[,STRATEGY] [by KEY]                                     x-kubernetes-patch-strategy, -patch-merge-key
 */
export const listKeys: Record<string, Record<string, Record<string, string>>> = {
  'io.k8s.api.admissionregistration.v1': {
    MutatingAdmissionPolicySpec: { matchConditions: 'map by name; patch merge by name' },
    MutatingWebhook: { matchConditions: 'map by name; patch merge by name' },
    MutatingWebhookConfiguration: { webhooks: 'map by name; patch merge by name' },
    ValidatingAdmissionPolicyBindingSpec: { validationActions: 'set' },
    ValidatingAdmissionPolicySpec: {
      matchConditions: 'map by name; patch merge by name',
      variables: 'map by name; patch merge by name',
    },
    ValidatingAdmissionPolicyStatus: { conditions: 'map by type' },
    ValidatingWebhook: { matchConditions: 'map by name; patch merge by name' },
    ValidatingWebhookConfiguration: { webhooks: 'map by name; patch merge by name' },
  },
  'io.k8s.api.admissionregistration.v1alpha1': {
    MutatingAdmissionPolicySpec: { matchConditions: 'map by name; patch merge by name' },
  },
  'io.k8s.api.admissionregistration.v1beta1': {
    MutatingAdmissionPolicySpec: { matchConditions: 'map by name; patch merge by name' },
  },
  'io.k8s.api.apiserverinternal.v1alpha1': {
    ServerStorageVersion: { decodableVersions: 'set', servedVersions: 'set' },
    StorageVersionStatus: { conditions: 'map by type', storageVersions: 'map by apiServerID' },
  },
  'io.k8s.api.apps.v1': {
    DaemonSetStatus: { conditions: 'map by type; patch merge by type' },
    DeploymentSpec: { strategy: 'patch retainKeys' },
    DeploymentStatus: { conditions: 'map by type; patch merge by type' },
    ReplicaSetStatus: { conditions: 'map by type; patch merge by type' },
    StatefulSetStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.autoscaling.v2': {
    HorizontalPodAutoscalerStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.batch.v1': {
    JobStatus: { conditions: 'atomic; patch merge by type' },
    PodFailurePolicyOnExitCodesRequirement: { values: 'set' },
    UncountedTerminatedPods: { failed: 'set', succeeded: 'set' },
  },
  'io.k8s.api.certificates.v1': {
    CertificateSigningRequestStatus: { conditions: 'map by type' },
  },
  'io.k8s.api.certificates.v1beta1': {
    PodCertificateRequestStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.core.v1': {
    ComponentStatus: { conditions: 'map by type; patch merge by type' },
    Container: {
      env: 'map by name; patch merge by name',
      ports: 'map by containerPort,protocol; patch merge by containerPort',
      volumeDevices: 'map by devicePath; patch merge by devicePath',
      volumeMounts: 'map by mountPath; patch merge by mountPath',
    },
    ContainerRestartRuleOnExitCodes: { values: 'set' },
    ContainerStatus: {
      allocatedResourcesStatus: 'map by name; patch merge by name',
      volumeMounts: 'map by mountPath; patch merge by mountPath',
    },
    EphemeralContainer: {
      env: 'map by name; patch merge by name',
      ports: 'map by containerPort,protocol; patch merge by containerPort',
      volumeDevices: 'map by devicePath; patch merge by devicePath',
      volumeMounts: 'map by mountPath; patch merge by mountPath',
    },
    NamespaceStatus: { conditions: 'map by type; patch merge by type' },
    NodeAllocatableResourceClaimStatus: { containers: 'set' },
    NodeSpec: { podCIDRs: 'set; patch merge' },
    NodeStatus: {
      addresses: 'map by type; patch merge by type',
      conditions: 'map by type; patch merge by type',
    },
    PersistentVolumeClaimStatus: {
      allocatedResourceStatuses: 'granular map',
      conditions: 'map by type; patch merge by type',
    },
    PersistentVolumeSpec: { claimRef: 'granular map' },
    PodSpec: {
      containers: 'map by name; patch merge by name',
      ephemeralContainers: 'map by name; patch merge by name',
      hostAliases: 'map by ip; patch merge by ip',
      imagePullSecrets: 'map by name; patch merge by name',
      initContainers: 'map by name; patch merge by name',
      nodeSelector: 'atomic map',
      resourceClaims: 'map by name; patch merge,retainKeys by name',
      schedulingGates: 'map by name; patch merge by name',
      topologySpreadConstraints: 'map by topologyKey,whenUnsatisfiable; patch merge by topologyKey',
      volumes: 'map by name; patch merge,retainKeys by name',
    },
    PodStatus: {
      conditions: 'map by type; patch merge by type',
      hostIPs: 'atomic; patch merge by ip',
      podIPs: 'map by ip; patch merge by ip',
      resourceClaimStatuses: 'map by name; patch merge,retainKeys by name',
    },
    ReplicationControllerSpec: { selector: 'atomic map' },
    ReplicationControllerStatus: { conditions: 'map by type; patch merge by type' },
    ResourceRequirements: { claims: 'map by name' },
    ResourceStatus: { resources: 'map by resourceID' },
    ServiceAccount: { secrets: 'map by name; patch merge by name' },
    ServiceSpec: { ports: 'map by port,protocol; patch merge by port', selector: 'atomic map' },
    ServiceStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.discovery.v1': {
    Endpoint: { addresses: 'set' },
  },
  'io.k8s.api.flowcontrol.v1': {
    FlowSchemaStatus: { conditions: 'map by type; patch merge by type' },
    NonResourcePolicyRule: { nonResourceURLs: 'set', verbs: 'set' },
    PriorityLevelConfigurationStatus: { conditions: 'map by type; patch merge by type' },
    ResourcePolicyRule: { apiGroups: 'set', namespaces: 'set', resources: 'set', verbs: 'set' },
  },
  'io.k8s.api.networking.v1': {
    ServiceCIDRStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.networking.v1beta1': {
    ServiceCIDRStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.node.v1': {
    Scheduling: { nodeSelector: 'atomic map' },
  },
  'io.k8s.api.policy.v1': {
    PodDisruptionBudgetSpec: { selector: 'patch replace' },
    PodDisruptionBudgetStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.resource.v1': {
    AllocatedDeviceStatus: { conditions: 'map by type' },
    ResourceClaimStatus: {
      devices: 'map by driver,device,pool,shareID',
      reservedFor: 'map by uid; patch merge by uid',
    },
  },
  'io.k8s.api.resource.v1alpha3': {
    DeviceTaintRuleStatus: { conditions: 'map by type; patch merge by type' },
    ResourcePoolStatusRequestStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.api.resource.v1beta1': {
    AllocatedDeviceStatus: { conditions: 'map by type' },
    ResourceClaimStatus: {
      devices: 'map by driver,device,pool,shareID',
      reservedFor: 'map by uid; patch merge by uid',
    },
  },
  'io.k8s.api.resource.v1beta2': {
    AllocatedDeviceStatus: { conditions: 'map by type' },
    DeviceTaintRuleStatus: { conditions: 'map by type; patch merge by type' },
    ResourceClaimStatus: {
      devices: 'map by driver,device,pool,shareID',
      reservedFor: 'map by uid; patch merge by uid',
    },
  },
  'io.k8s.api.scheduling.v1alpha2': {
    PodGroupSpec: { resourceClaims: 'map by name; patch merge,retainKeys by name' },
    PodGroupStatus: {
      conditions: 'map by type; patch merge by type',
      resourceClaimStatuses: 'map by name; patch merge,retainKeys by name',
    },
    PodGroupTemplate: { resourceClaims: 'map by name; patch merge,retainKeys by name' },
    WorkloadSpec: { podGroupTemplates: 'map by name' },
  },
  'io.k8s.api.storage.v1': {
    CSIDriverSpec: { volumeLifecycleModes: 'set' },
    CSINodeSpec: { drivers: 'map by name; patch merge by name' },
  },
  'io.k8s.api.storagemigration.v1beta1': {
    StorageVersionMigrationStatus: { conditions: 'map by type; patch merge by type' },
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': {
    CustomResourceDefinitionStatus: { conditions: 'map by type' },
    JSONSchemaProps: { 'x-kubernetes-validations': 'map by rule; patch merge by rule' },
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1': {
    APIResource: { verbs: 'plain' },
    ObjectMeta: { finalizers: 'set; patch merge', ownerReferences: 'map by uid; patch merge by uid' },
  },
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': {
    APIServiceStatus: { conditions: 'map by type; patch merge by type' },
  },
};
