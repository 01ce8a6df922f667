import type { GetCapacityRequest, GetCapacityResponse } from '../../../types.ts';
import { whyUnsupported } from '../capabilities.ts';
import type { ControllerContext } from './context.ts';
import { parseParameters } from './parameters.ts';
import { largestBytes, leastFor } from './size.ts';
import { freeIn, matches } from './zone.ts';

/** How much can still be promised in the zones of a topology, or in all; nothing for what the driver cannot do. */
export async function getCapacity(
  { cloud, vendor }: ControllerContext,
  { volumeCapabilities, parameters, accessibleTopology }: GetCapacityRequest,
): Promise<GetCapacityResponse> {
  parseParameters(vendor, parameters);
  const zones = (await cloud.listZones()).filter(
    (zone) => accessibleTopology === null || matches(vendor, zone, accessibleTopology),
  );
  const possible = volumeCapabilities.every((capability) => whyUnsupported(capability) === undefined);
  const free = possible ? zones.map(freeIn) : [];
  return {
    availableCapacity: free.reduce((sum, bytes) => sum + bytes, 0),
    maximumVolumeSize: { value: Math.min(largestBytes, Math.max(0, ...free)) },
    minimumVolumeSize: { value: leastFor(volumeCapabilities) },
  };
}
