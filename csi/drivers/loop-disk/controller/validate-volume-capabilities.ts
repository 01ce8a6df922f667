import { CsiError } from '../../../error.ts';
import type {
  ValidateVolumeCapabilitiesRequest,
  ValidateVolumeCapabilitiesResponse,
} from '../../../types.ts';
import { required, whyUnsupported } from '../capabilities.ts';
import { getVolume } from './context.ts';
import type { ControllerContext } from './context.ts';
import { parseMutableParameters, parseParameters } from './parameters.ts';

/** Says whether an existing volume can be used so; when not, `message` says why. */
export async function validateVolumeCapabilities(
  context: ControllerContext,
  request: ValidateVolumeCapabilitiesRequest,
): Promise<Partial<ValidateVolumeCapabilitiesResponse>> {
  const handle = required('volume_id', request.volumeId);
  const { volumeCapabilities, volumeContext, parameters, mutableParameters } = request;
  if (volumeCapabilities.length === 0)
    throw new CsiError('INVALID_ARGUMENT', 'volume capabilities are missing in the request');
  await getVolume(context, handle);
  const message =
    volumeCapabilities.map(whyUnsupported).find((why) => why !== undefined) ?? whyRefused(context, request);
  if (message !== undefined) return { message };
  return { confirmed: { volumeCapabilities, volumeContext, parameters, mutableParameters } };
}

function whyRefused(
  { vendor }: ControllerContext,
  request: ValidateVolumeCapabilitiesRequest,
): string | undefined {
  try {
    parseParameters(vendor, request.parameters);
    parseMutableParameters(vendor, request.mutableParameters);
    return undefined;
  } catch (error) {
    if (error instanceof CsiError) return error.message;
    throw error;
  }
}
