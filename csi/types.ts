// Made from csi/csi.proto and csi/plugin-registration.proto by csi/generate-types.ts; do not edit.
// A message inside another is named for both: VolumeCapability's AccessMode's Mode is VolumeCapabilityAccessModeMode.

/** What may be given when a message is sent: any part of it, the rest is the protocol's default. */
export type Sent<T> = T extends (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [Key in keyof T]?: Sent<T[Key]> | undefined }
    : T;

export interface BoolValue {
  value: boolean;
}

export interface Int64Value {
  value: number;
}

export interface Timestamp {
  seconds: number;
  nanos: number;
}

export type GetPluginInfoRequest = Record<string, never>;

export interface GetPluginInfoResponse {
  name: string;
  vendorVersion: string;
  manifest: Record<string, string>;
}

export type GetPluginCapabilitiesRequest = Record<string, never>;

export interface GetPluginCapabilitiesResponse {
  capabilities: PluginCapability[];
}

export type PluginCapabilityServiceType =
  | 'UNKNOWN'
  | 'CONTROLLER_SERVICE'
  | 'VOLUME_ACCESSIBILITY_CONSTRAINTS'
  | 'GROUP_CONTROLLER_SERVICE'
  | 'SNAPSHOT_METADATA_SERVICE';

export interface PluginCapabilityService {
  type: PluginCapabilityServiceType;
}

export type PluginCapabilityVolumeExpansionType = 'UNKNOWN' | 'ONLINE' | 'OFFLINE';

export interface PluginCapabilityVolumeExpansion {
  type: PluginCapabilityVolumeExpansionType;
}

export interface PluginCapability {
  service?: PluginCapabilityService;
  volumeExpansion?: PluginCapabilityVolumeExpansion;
}

export type ProbeRequest = Record<string, never>;

export interface ProbeResponse {
  ready: BoolValue | null;
}

export interface CreateVolumeRequest {
  name: string;
  capacityRange: CapacityRange | null;
  volumeCapabilities: VolumeCapability[];
  parameters: Record<string, string>;
  secrets: Record<string, string>;
  volumeContentSource: VolumeContentSource | null;
  accessibilityRequirements: TopologyRequirement | null;
  mutableParameters: Record<string, string>;
}

export interface VolumeContentSourceSnapshotSource {
  snapshotId: string;
}

export interface VolumeContentSourceVolumeSource {
  volumeId: string;
}

export interface VolumeContentSource {
  snapshot?: VolumeContentSourceSnapshotSource;
  volume?: VolumeContentSourceVolumeSource;
}

export interface CreateVolumeResponse {
  volume: Volume | null;
}

export type VolumeCapabilityBlockVolume = Record<string, never>;

export interface VolumeCapabilityMountVolume {
  fsType: string;
  mountFlags: string[];
  volumeMountGroup: string;
}

export type VolumeCapabilityAccessModeMode =
  | 'UNKNOWN'
  | 'SINGLE_NODE_WRITER'
  | 'SINGLE_NODE_READER_ONLY'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_SINGLE_WRITER'
  | 'MULTI_NODE_MULTI_WRITER'
  | 'SINGLE_NODE_SINGLE_WRITER'
  | 'SINGLE_NODE_MULTI_WRITER';

export interface VolumeCapabilityAccessMode {
  mode: VolumeCapabilityAccessModeMode;
}

export interface VolumeCapability {
  block?: VolumeCapabilityBlockVolume;
  mount?: VolumeCapabilityMountVolume;
  accessMode: VolumeCapabilityAccessMode | null;
}

export interface CapacityRange {
  requiredBytes: number;
  limitBytes: number;
}

export interface Volume {
  capacityBytes: number;
  volumeId: string;
  volumeContext: Record<string, string>;
  contentSource: VolumeContentSource | null;
  accessibleTopology: Topology[];
}

export interface TopologyRequirement {
  requisite: Topology[];
  preferred: Topology[];
}

export interface Topology {
  segments: Record<string, string>;
}

export interface DeleteVolumeRequest {
  volumeId: string;
  secrets: Record<string, string>;
}

export type DeleteVolumeResponse = Record<string, never>;

export interface ControllerPublishVolumeRequest {
  volumeId: string;
  nodeId: string;
  volumeCapability: VolumeCapability | null;
  readonly: boolean;
  secrets: Record<string, string>;
  volumeContext: Record<string, string>;
}

export interface ControllerPublishVolumeResponse {
  publishContext: Record<string, string>;
}

export interface ControllerUnpublishVolumeRequest {
  volumeId: string;
  nodeId: string;
  secrets: Record<string, string>;
}

export type ControllerUnpublishVolumeResponse = Record<string, never>;

export interface ValidateVolumeCapabilitiesRequest {
  volumeId: string;
  volumeContext: Record<string, string>;
  volumeCapabilities: VolumeCapability[];
  parameters: Record<string, string>;
  secrets: Record<string, string>;
  mutableParameters: Record<string, string>;
}

export interface ValidateVolumeCapabilitiesResponseConfirmed {
  volumeContext: Record<string, string>;
  volumeCapabilities: VolumeCapability[];
  parameters: Record<string, string>;
  mutableParameters: Record<string, string>;
}

export interface ValidateVolumeCapabilitiesResponse {
  confirmed: ValidateVolumeCapabilitiesResponseConfirmed | null;
  message: string;
}

export interface ListVolumesRequest {
  maxEntries: number;
  startingToken: string;
}

export interface ListVolumesResponseVolumeStatus {
  publishedNodeIds: string[];
  volumeCondition: VolumeCondition | null;
}

export interface ListVolumesResponseEntry {
  volume: Volume | null;
  status: ListVolumesResponseVolumeStatus | null;
}

export interface ListVolumesResponse {
  entries: ListVolumesResponseEntry[];
  nextToken: string;
}

export interface ControllerGetVolumeRequest {
  volumeId: string;
}

export interface ControllerGetVolumeResponseVolumeStatus {
  publishedNodeIds: string[];
  volumeCondition: VolumeCondition | null;
}

export interface ControllerGetVolumeResponse {
  volume: Volume | null;
  status: ControllerGetVolumeResponseVolumeStatus | null;
}

export interface ControllerModifyVolumeRequest {
  volumeId: string;
  secrets: Record<string, string>;
  mutableParameters: Record<string, string>;
}

export type ControllerModifyVolumeResponse = Record<string, never>;

export interface GetCapacityRequest {
  volumeCapabilities: VolumeCapability[];
  parameters: Record<string, string>;
  accessibleTopology: Topology | null;
}

export interface GetCapacityResponse {
  availableCapacity: number;
  maximumVolumeSize: Int64Value | null;
  minimumVolumeSize: Int64Value | null;
}

export type ControllerGetCapabilitiesRequest = Record<string, never>;

export interface ControllerGetCapabilitiesResponse {
  capabilities: ControllerServiceCapability[];
}

export type ControllerServiceCapabilityRPCType =
  | 'UNKNOWN'
  | 'CREATE_DELETE_VOLUME'
  | 'PUBLISH_UNPUBLISH_VOLUME'
  | 'LIST_VOLUMES'
  | 'GET_CAPACITY'
  | 'CREATE_DELETE_SNAPSHOT'
  | 'LIST_SNAPSHOTS'
  | 'CLONE_VOLUME'
  | 'PUBLISH_READONLY'
  | 'EXPAND_VOLUME'
  | 'LIST_VOLUMES_PUBLISHED_NODES'
  | 'VOLUME_CONDITION'
  | 'GET_VOLUME'
  | 'SINGLE_NODE_MULTI_WRITER'
  | 'MODIFY_VOLUME'
  | 'GET_SNAPSHOT';

export interface ControllerServiceCapabilityRPC {
  type: ControllerServiceCapabilityRPCType;
}

export interface ControllerServiceCapability {
  rpc?: ControllerServiceCapabilityRPC;
}

export interface CreateSnapshotRequest {
  sourceVolumeId: string;
  name: string;
  secrets: Record<string, string>;
  parameters: Record<string, string>;
}

export interface CreateSnapshotResponse {
  snapshot: Snapshot | null;
}

export interface Snapshot {
  sizeBytes: number;
  snapshotId: string;
  sourceVolumeId: string;
  creationTime: Timestamp | null;
  readyToUse: boolean;
  groupSnapshotId: string;
}

export interface DeleteSnapshotRequest {
  snapshotId: string;
  secrets: Record<string, string>;
}

export type DeleteSnapshotResponse = Record<string, never>;

export interface ListSnapshotsRequest {
  maxEntries: number;
  startingToken: string;
  sourceVolumeId: string;
  snapshotId: string;
  secrets: Record<string, string>;
}

export interface ListSnapshotsResponseEntry {
  snapshot: Snapshot | null;
}

export interface ListSnapshotsResponse {
  entries: ListSnapshotsResponseEntry[];
  nextToken: string;
}

export interface GetSnapshotRequest {
  snapshotId: string;
  secrets: Record<string, string>;
}

export interface GetSnapshotResponse {
  snapshot: Snapshot | null;
}

export interface ControllerExpandVolumeRequest {
  volumeId: string;
  capacityRange: CapacityRange | null;
  secrets: Record<string, string>;
  volumeCapability: VolumeCapability | null;
}

export interface ControllerExpandVolumeResponse {
  capacityBytes: number;
  nodeExpansionRequired: boolean;
}

export interface NodeStageVolumeRequest {
  volumeId: string;
  publishContext: Record<string, string>;
  stagingTargetPath: string;
  volumeCapability: VolumeCapability | null;
  secrets: Record<string, string>;
  volumeContext: Record<string, string>;
}

export type NodeStageVolumeResponse = Record<string, never>;

export interface NodeUnstageVolumeRequest {
  volumeId: string;
  stagingTargetPath: string;
}

export type NodeUnstageVolumeResponse = Record<string, never>;

export interface NodePublishVolumeRequest {
  volumeId: string;
  publishContext: Record<string, string>;
  stagingTargetPath: string;
  targetPath: string;
  volumeCapability: VolumeCapability | null;
  readonly: boolean;
  secrets: Record<string, string>;
  volumeContext: Record<string, string>;
}

export type NodePublishVolumeResponse = Record<string, never>;

export interface NodeUnpublishVolumeRequest {
  volumeId: string;
  targetPath: string;
}

export type NodeUnpublishVolumeResponse = Record<string, never>;

export interface NodeGetVolumeStatsRequest {
  volumeId: string;
  volumePath: string;
  stagingTargetPath: string;
}

export interface NodeGetVolumeStatsResponse {
  usage: VolumeUsage[];
  volumeCondition: VolumeCondition | null;
}

export type VolumeUsageUnit = 'UNKNOWN' | 'BYTES' | 'INODES';

export interface VolumeUsage {
  available: number;
  total: number;
  used: number;
  unit: VolumeUsageUnit;
}

export interface VolumeCondition {
  abnormal: boolean;
  message: string;
}

export type NodeGetCapabilitiesRequest = Record<string, never>;

export interface NodeGetCapabilitiesResponse {
  capabilities: NodeServiceCapability[];
}

export type NodeServiceCapabilityRPCType =
  | 'UNKNOWN'
  | 'STAGE_UNSTAGE_VOLUME'
  | 'GET_VOLUME_STATS'
  | 'EXPAND_VOLUME'
  | 'VOLUME_CONDITION'
  | 'SINGLE_NODE_MULTI_WRITER'
  | 'VOLUME_MOUNT_GROUP';

export interface NodeServiceCapabilityRPC {
  type: NodeServiceCapabilityRPCType;
}

export interface NodeServiceCapability {
  rpc?: NodeServiceCapabilityRPC;
}

export type NodeGetInfoRequest = Record<string, never>;

export interface NodeGetInfoResponse {
  nodeId: string;
  maxVolumesPerNode: number;
  accessibleTopology: Topology | null;
}

export interface NodeExpandVolumeRequest {
  volumeId: string;
  volumePath: string;
  capacityRange: CapacityRange | null;
  stagingTargetPath: string;
  volumeCapability: VolumeCapability | null;
  secrets: Record<string, string>;
}

export interface NodeExpandVolumeResponse {
  capacityBytes: number;
}

export type GroupControllerGetCapabilitiesRequest = Record<string, never>;

export interface GroupControllerGetCapabilitiesResponse {
  capabilities: GroupControllerServiceCapability[];
}

export type GroupControllerServiceCapabilityRPCType = 'UNKNOWN' | 'CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT';

export interface GroupControllerServiceCapabilityRPC {
  type: GroupControllerServiceCapabilityRPCType;
}

export interface GroupControllerServiceCapability {
  rpc?: GroupControllerServiceCapabilityRPC;
}

export interface CreateVolumeGroupSnapshotRequest {
  name: string;
  sourceVolumeIds: string[];
  secrets: Record<string, string>;
  parameters: Record<string, string>;
}

export interface CreateVolumeGroupSnapshotResponse {
  groupSnapshot: VolumeGroupSnapshot | null;
}

export interface VolumeGroupSnapshot {
  groupSnapshotId: string;
  snapshots: Snapshot[];
  creationTime: Timestamp | null;
  readyToUse: boolean;
}

export interface DeleteVolumeGroupSnapshotRequest {
  groupSnapshotId: string;
  snapshotIds: string[];
  secrets: Record<string, string>;
}

export type DeleteVolumeGroupSnapshotResponse = Record<string, never>;

export interface GetVolumeGroupSnapshotRequest {
  groupSnapshotId: string;
  snapshotIds: string[];
  secrets: Record<string, string>;
}

export interface GetVolumeGroupSnapshotResponse {
  groupSnapshot: VolumeGroupSnapshot | null;
}

export type InfoRequest = Record<string, never>;

export interface PluginInfo {
  type: string;
  name: string;
  endpoint: string;
  supportedVersions: string[];
}

export interface RegistrationStatus {
  pluginRegistered: boolean;
  error: string;
}

export type RegistrationStatusResponse = Record<string, never>;

export interface IdentityService {
  getPluginInfo: { request: GetPluginInfoRequest; response: GetPluginInfoResponse };
  getPluginCapabilities: { request: GetPluginCapabilitiesRequest; response: GetPluginCapabilitiesResponse };
  probe: { request: ProbeRequest; response: ProbeResponse };
}

export interface ControllerService {
  createVolume: { request: CreateVolumeRequest; response: CreateVolumeResponse };
  deleteVolume: { request: DeleteVolumeRequest; response: DeleteVolumeResponse };
  controllerPublishVolume: {
    request: ControllerPublishVolumeRequest;
    response: ControllerPublishVolumeResponse;
  };
  controllerUnpublishVolume: {
    request: ControllerUnpublishVolumeRequest;
    response: ControllerUnpublishVolumeResponse;
  };
  validateVolumeCapabilities: {
    request: ValidateVolumeCapabilitiesRequest;
    response: ValidateVolumeCapabilitiesResponse;
  };
  listVolumes: { request: ListVolumesRequest; response: ListVolumesResponse };
  getCapacity: { request: GetCapacityRequest; response: GetCapacityResponse };
  controllerGetCapabilities: {
    request: ControllerGetCapabilitiesRequest;
    response: ControllerGetCapabilitiesResponse;
  };
  createSnapshot: { request: CreateSnapshotRequest; response: CreateSnapshotResponse };
  deleteSnapshot: { request: DeleteSnapshotRequest; response: DeleteSnapshotResponse };
  listSnapshots: { request: ListSnapshotsRequest; response: ListSnapshotsResponse };
  getSnapshot: { request: GetSnapshotRequest; response: GetSnapshotResponse };
  controllerExpandVolume: {
    request: ControllerExpandVolumeRequest;
    response: ControllerExpandVolumeResponse;
  };
  controllerGetVolume: { request: ControllerGetVolumeRequest; response: ControllerGetVolumeResponse };
  controllerModifyVolume: {
    request: ControllerModifyVolumeRequest;
    response: ControllerModifyVolumeResponse;
  };
}

export interface GroupControllerService {
  groupControllerGetCapabilities: {
    request: GroupControllerGetCapabilitiesRequest;
    response: GroupControllerGetCapabilitiesResponse;
  };
  createVolumeGroupSnapshot: {
    request: CreateVolumeGroupSnapshotRequest;
    response: CreateVolumeGroupSnapshotResponse;
  };
  deleteVolumeGroupSnapshot: {
    request: DeleteVolumeGroupSnapshotRequest;
    response: DeleteVolumeGroupSnapshotResponse;
  };
  getVolumeGroupSnapshot: {
    request: GetVolumeGroupSnapshotRequest;
    response: GetVolumeGroupSnapshotResponse;
  };
}

export interface NodeService {
  nodeStageVolume: { request: NodeStageVolumeRequest; response: NodeStageVolumeResponse };
  nodeUnstageVolume: { request: NodeUnstageVolumeRequest; response: NodeUnstageVolumeResponse };
  nodePublishVolume: { request: NodePublishVolumeRequest; response: NodePublishVolumeResponse };
  nodeUnpublishVolume: { request: NodeUnpublishVolumeRequest; response: NodeUnpublishVolumeResponse };
  nodeGetVolumeStats: { request: NodeGetVolumeStatsRequest; response: NodeGetVolumeStatsResponse };
  nodeExpandVolume: { request: NodeExpandVolumeRequest; response: NodeExpandVolumeResponse };
  nodeGetCapabilities: { request: NodeGetCapabilitiesRequest; response: NodeGetCapabilitiesResponse };
  nodeGetInfo: { request: NodeGetInfoRequest; response: NodeGetInfoResponse };
}

export interface RegistrationService {
  getInfo: { request: InfoRequest; response: PluginInfo };
  notifyRegistrationStatus: { request: RegistrationStatus; response: RegistrationStatusResponse };
}
