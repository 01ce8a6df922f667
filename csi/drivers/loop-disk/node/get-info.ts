import type {
  NodeGetInfoResponse,
  NodeGetCapabilitiesResponse,
  NodeServiceCapabilityRPCType,
} from '../../../types.ts';
import type { NodeContext } from './context.ts';

/** Which node this is, how many disks it takes, and where it stands. */
export const nodeGetInfo = ({
  vendor,
  nodeName,
  region,
  zone,
  maxVolumes,
}: NodeContext): NodeGetInfoResponse => ({
  nodeId: vendor.nodeIdOf({ name: nodeName, zone }),
  maxVolumesPerNode: maxVolumes,
  accessibleTopology: { segments: vendor.topology({ region, zone }) },
});

const rpcs: NodeServiceCapabilityRPCType[] = [
  'STAGE_UNSTAGE_VOLUME',
  'GET_VOLUME_STATS',
  'VOLUME_CONDITION',
  'EXPAND_VOLUME',
  'SINGLE_NODE_MULTI_WRITER',
];

/** What the node service can do. */
export const nodeGetCapabilities = (): NodeGetCapabilitiesResponse => ({
  capabilities: rpcs.map((type) => ({ rpc: { type } })),
});
