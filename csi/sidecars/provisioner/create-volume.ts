import { isAlreadyExists } from '../../../client/errors.ts';
import { persistentVolumes } from '../../../client/resources.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { CsiError, errorInWords } from '../../error.ts';
import type { Volume } from '../../types.ts';
import { persistentVolumeFor } from './persistent-volume.ts';
import type { Provisioner } from './settings.ts';
import { ProvisionError, stateAfter } from './states.ts';
import { supportsTopology, volumeRequest } from './volume-request.ts';
import type { Asked, VolumeRequest } from './volume-request.ts';

/**
 * Has the driver make a claim's volume and writes the PersistentVolume. May be repeated at any point: the volume's name is the
 * claim's uid, and both CreateVolume and the object's creation find what an earlier attempt has made. Rejects with ProvisionError or
 * IgnoredError.
 */
export async function createVolume(provisioner: Provisioner, asked: Asked): Promise<{ name: string }> {
  const { driver, context, memory } = provisioner;
  const capabilities = await driver.capabilities().catch((error: unknown) => {
    throw new ProvisionError('no-change', errorInWords(error), { cause: error });
  });
  const prepared = await volumeRequest(provisioner, asked, capabilities);
  const hasTopology = supportsTopology(capabilities);
  const mayReschedule = hasTopology && asked.selectedNode !== '';
  const volume = await callDriver(provisioner, { asked, prepared, mayReschedule });
  await checkAnswer(provisioner, prepared, volume);
  await failpoint('csi.provisioner.after-create-volume');
  const object = persistentVolumeFor(provisioner, { ...asked, prepared, volume, hasTopology });
  try {
    await context.client.resource(persistentVolumes).create({ object });
  } catch (error) {
    // The volume exists, so this claim may not be forgotten until its object does too.
    if (!isAlreadyExists(error))
      throw new ProvisionError(
        'in-background',
        `error saving volume ${object.metadata?.name}: ${errorInWords(error)}`,
        { cause: error },
      );
  }
  memory.delete(asked.claim.metadata?.uid ?? '');
  return { name: object.metadata?.name ?? '' };
}

async function callDriver(
  { driver, memory, signal }: Provisioner,
  { asked, prepared, mayReschedule }: { asked: Asked; prepared: VolumeRequest; mayReschedule: boolean },
): Promise<Volume> {
  try {
    const { volume } = await driver.controller.createVolume(prepared.request, { signal });
    if (volume === null) throw new CsiError('INTERNAL', 'the driver answered without a volume');
    return volume;
  } catch (error) {
    if (!(error instanceof CsiError)) throw error;
    const state = stateAfter(error, { mayReschedule });
    if (state === 'finished' || state === 'reschedule') memory.delete(asked.claim.metadata?.uid ?? '');
    throw new ProvisionError(state, error.describe(), { cause: error });
  }
}

/** A volume that isn't what was asked for is deleted again, and asked for again. */
async function checkAnswer(
  provisioner: Provisioner,
  { request, hasSource }: VolumeRequest,
  volume: Volume,
): Promise<void> {
  const requested = request.capacityRange?.requiredBytes ?? 0;
  let problem: string | undefined;
  if (volume.capacityBytes !== 0 && volume.capacityBytes < requested)
    problem = `created volume capacity ${volume.capacityBytes} less than requested capacity ${requested}`;
  else if (hasSource && volume.contentSource === null) problem = 'volume content source missing';
  if (problem === undefined) return;
  try {
    const { secrets } = request;
    await provisioner.driver.controller.deleteVolume({ volumeId: volume.volumeId, secrets });
  } catch (error) {
    problem += `. Cleanup of volume ${request.name} failed, volume is orphaned: ${errorInWords(error)}`;
  }
  throw new ProvisionError('in-background', problem);
}
