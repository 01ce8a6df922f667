import type {
  ControllerGetCapabilitiesResponse,
  ControllerServiceCapabilityRPCType,
} from '../../../types.ts';

const rpcs: ControllerServiceCapabilityRPCType[] = [
  'CREATE_DELETE_VOLUME',
  'PUBLISH_UNPUBLISH_VOLUME',
  'LIST_VOLUMES',
  'LIST_VOLUMES_PUBLISHED_NODES',
  'GET_CAPACITY',
  'CREATE_DELETE_SNAPSHOT',
  'LIST_SNAPSHOTS',
  'GET_SNAPSHOT',
  'CLONE_VOLUME',
  'PUBLISH_READONLY',
  'EXPAND_VOLUME',
  'VOLUME_CONDITION',
  'GET_VOLUME',
  'SINGLE_NODE_MULTI_WRITER',
  'MODIFY_VOLUME',
];

/** What the controller service can do. */
export const controllerGetCapabilities = (): ControllerGetCapabilitiesResponse => ({
  capabilities: rpcs.map((type) => ({ rpc: { type } })),
});
