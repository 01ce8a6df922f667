import { failpoint } from '../../../../linux/failpoint.ts';
import { CsiError } from '../../../error.ts';
import type { CallContext } from '../../../serve.ts';
import type { CreateVolumeRequest, CreateVolumeResponse, VolumeContentSource } from '../../../types.ts';
import { checkCapabilities, required } from '../capabilities.ts';
import type { DiskSource, DiskView } from '../cloud/types.ts';
import type { Vendor } from '../vendor.ts';
import { getVolume } from './context.ts';
import type { ControllerContext } from './context.ts';
import { parseMutableParameters, parseParameters } from './parameters.ts';
import { leastFor, sizeFor } from './size.ts';
import { volumeOf } from './volume.ts';
import { allowedZones, chooseZone } from './zone.ts';

/**
 * Makes a disk in a zone that the topology allows, empty or with the content of a snapshot or volume, and answers when
 * it is there. The name is the token of idempotency (CSI spec, CreateVolume): the cloud gives the same disk for it, or
 * says that it was asked for otherwise.
 */
export async function createVolume(
  context: ControllerContext,
  request: CreateVolumeRequest,
  { signal }: CallContext,
): Promise<CreateVolumeResponse> {
  const { cloud, vendor } = context;
  const name = required('name', request.name);
  checkCapabilities(request.volumeCapabilities);
  const parameters = {
    ...parseParameters(vendor, request.parameters),
    ...parseMutableParameters(vendor, request.mutableParameters),
  };
  const existing = (await cloud.listDisks({ name })).items[0];
  const from = await sourceOf(context, request.volumeContentSource, existing);
  const sizeBytes = wantedBytes(request, { existing, from });
  const zone = await zoneFor(context, request, { existing, sizeBytes, from });
  await failpoint('csi.create-volume.before-disk');
  const disk = await cloud.createDisk({
    ...(vendor.diskIdFor === undefined ? {} : { id: vendor.diskIdFor(name) }),
    name,
    zone,
    sizeBytes,
    type: parameters.type ?? existing?.type ?? vendor.diskTypes[0],
    ...(parameters.cache === undefined ? {} : { cache: parameters.cache }),
    ...(from === undefined ? {} : { source: from.source }),
  });
  await failpoint('csi.create-volume.after-disk');
  return {
    volume: {
      ...volumeOf(vendor, await filled(context, disk, signal)),
      contentSource: request.volumeContentSource,
    },
  };
}

interface Source {
  source: DiskSource;
  sizeBytes: number;
  region: string;
}

/** What a disk that exists was made from is not asked for any more: it may have grown since, or be gone. */
async function sourceOf(
  context: ControllerContext,
  source: VolumeContentSource | null,
  existing: DiskView | undefined,
): Promise<Source | undefined> {
  if (existing?.source !== undefined && isNamed(existing.source, source, context.vendor))
    return { source: existing.source, sizeBytes: 0, region: existing.region };
  if (source?.snapshot !== undefined) {
    const snapshot = await context.cloud.getSnapshot(source.snapshot.snapshotId);
    return { source: { snapshot: snapshot.id }, ...snapshot };
  }
  if (source?.volume === undefined) return undefined;
  const disk = await getVolume(context, source.volume.volumeId);
  return { source: { disk: disk.id }, ...disk };
}

function isNamed(made: DiskSource, source: VolumeContentSource | null, vendor: Vendor): boolean {
  if ('snapshot' in made) return source?.snapshot?.snapshotId === made.snapshot;
  const name = vendor.parseHandle(source?.volume?.volumeId ?? '');
  return name !== undefined && 'id' in name && name.id === made.disk;
}

interface Known {
  existing: DiskView | undefined;
  from: Source | undefined;
}

/** A disk that exists already has the right size when it is within the range. */
function wantedBytes(request: CreateVolumeRequest, { existing, from }: Known): number {
  const { capacityRange: range, volumeCapabilities } = request;
  const within =
    existing !== undefined &&
    existing.sizeBytes >= (range?.requiredBytes ?? 0) &&
    existing.sizeBytes <= (range?.limitBytes || Infinity);
  if (within) return existing.sizeBytes;
  const nothingAsked = (range?.requiredBytes ?? 0) === 0;
  const atLeast = Math.max(leastFor(volumeCapabilities), nothingAsked ? (from?.sizeBytes ?? 0) : 0);
  const size = sizeFor(range, { atLeast });
  if (from !== undefined && size < from.sizeBytes)
    throw new CsiError(
      'OUT_OF_RANGE',
      `${size} bytes do not hold the ${from.sizeBytes} of the content source`,
    );
  return size;
}

async function zoneFor(
  { cloud, vendor }: ControllerContext,
  request: CreateVolumeRequest,
  { existing, sizeBytes, from }: Known & { sizeBytes: number },
): Promise<string> {
  const zones = (await cloud.listZones()).filter(
    ({ region }) => from === undefined || region === from.region,
  );
  const choice = { vendor, zones, requirement: request.accessibilityRequirements, sizeBytes };
  if (existing === undefined) return chooseZone(choice).name;
  // The same call again must not choose another zone because this one has less room by now.
  if (allowedZones(choice).some(({ name }) => name === existing.zone)) return existing.zone;
  throw new CsiError('ALREADY_EXISTS', `volume '${request.name}' exists already, in zone '${existing.zone}'`);
}

const askAgainMs = 10_000;

/** Waits until a disk's content has been copied, or the caller gives up; it will ask again. */
async function filled({ cloud }: ControllerContext, disk: DiskView, signal: AbortSignal): Promise<DiskView> {
  let now = disk;
  while (now.state === 'creating') {
    if (signal.aborted)
      throw new CsiError('ABORTED', `volume '${disk.name}' is being copied: ${now.percent}%`);
    now = await cloud.getDisk(disk.id, { waitMs: askAgainMs });
  }
  return now;
}
