import { CsiError } from '../../../error.ts';
import type { Topology, TopologyRequirement } from '../../../types.ts';
import type { Zone } from '../cloud/types.ts';
import type { Vendor } from '../vendor.ts';

export interface ZoneChoice {
  vendor: Vendor;
  zones: Zone[];
  requirement: TopologyRequirement | null;
  sizeBytes: number;
}

/**
 * The zones that a disk may live in, the preferred ones first; with no requirement the emptiest first. Throws
 * RESOURCE_EXHAUSTED when there is none.
 */
export function allowedZones({ vendor, zones, requirement }: ZoneChoice): Zone[] {
  const named = [...(requirement?.preferred ?? []), ...(requirement?.requisite ?? [])];
  if (named.length === 0) return zones.toSorted((one, other) => freeIn(other) - freeIn(one));
  const allowed = named.flatMap((topology) => zones.filter((zone) => matches(vendor, zone, topology)));
  if (allowed.length > 0) return [...new Set(allowed)];
  throw new CsiError(
    'RESOURCE_EXHAUSTED',
    `none of the zones ${zones.map(({ name }) => name).join(', ')} is in the accessibility requirements ${JSON.stringify(named.map(({ segments }) => segments))}`,
  );
}

/** The first of the allowed zones that has room. Throws RESOURCE_EXHAUSTED, naming what each has left. */
export function chooseZone(choice: ZoneChoice): Zone {
  const allowed = allowedZones(choice);
  const zone = allowed.find((candidate) => freeIn(candidate) >= choice.sizeBytes);
  if (zone !== undefined) return zone;
  const left = allowed
    .map((candidate) => `zone '${candidate.name}' has ${freeIn(candidate)} bytes left`)
    .join(', ');
  throw new CsiError('RESOURCE_EXHAUSTED', `no room for ${choice.sizeBytes} bytes: ${left}`);
}

export const freeIn = ({ capacityBytes, allocatedBytes }: Zone): number =>
  Math.max(0, capacityBytes - allocatedBytes);

/** Whether a zone has all segments that a topology names; a key that this driver does not know is not its zone's. */
export function matches(vendor: Vendor, { name, region }: Zone, { segments }: Topology): boolean {
  const own = vendor.topology({ region, zone: name });
  return Object.entries(segments).every(([key, value]) => own[key] === value);
}
