/** Field numbers of the messages of meta/v1 in their protobuf form (v1.36); the notation is told in fields.ts. */
export const META_FIELDS: Record<string, string> = {
  'meta.v1.APIGroup': 'name versions preferredVersion serverAddressByClientCIDRs',
  'meta.v1.APIGroupList': 'groups',
  'meta.v1.APIResource':
    'name namespaced kind verbs shortNames singularName categories group version storageVersionHash',
  'meta.v1.APIResourceList': 'groupVersion resources',
  'meta.v1.APIVersions': 'versions serverAddressByClientCIDRs',
  'meta.v1.Condition': 'type status observedGeneration lastTransitionTime reason message',
  'meta.v1.DeleteOptions':
    'gracePeriodSeconds* preconditions orphanDependents* propagationPolicy* dryRun ignoreStoreReadErrorWithClusterBreakingPotential*',
  'meta.v1.FieldSelectorRequirement': 'key operator values',
  'meta.v1.GroupResource': 'group resource',
  'meta.v1.GroupVersionForDiscovery': 'groupVersion version',
  'meta.v1.LabelSelector': 'matchLabels matchExpressions',
  'meta.v1.LabelSelectorRequirement': 'key operator values',
  'meta.v1.ListMeta': 'selfLink resourceVersion continue remainingItemCount* shardInfo',
  'meta.v1.ManagedFieldsEntry': 'manager operation apiVersion time - fieldsType fieldsV1 subresource',
  'meta.v1.ObjectMeta':
    'name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds* labels annotations ownerReferences finalizers - - managedFields',
  'meta.v1.OwnerReference': 'kind - name uid apiVersion controller* blockOwnerDeletion*',
  'meta.v1.Preconditions': 'uid* resourceVersion*',
  'meta.v1.ServerAddressByClientCIDR': 'clientCIDR serverAddress',
  'meta.v1.ShardInfo': 'selector',
  'meta.v1.Status': 'metadata status message reason details code',
  'meta.v1.StatusCause': 'reason message field',
  'meta.v1.StatusDetails': 'name group kind causes retryAfterSeconds uid',
  'meta.v1.WatchEvent': 'type object',
};
