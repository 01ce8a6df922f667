import type { CSIDriver, CSIDriverSpec, StorageV1TokenRequest } from '../../types.ts';
import { checkEnum, nameIsSubdomain } from '../checks.ts';
import { duplicate, invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMeta, validateCoreObjectMetaUpdate } from '../object-meta.ts';

const SHORTEST_TOKEN_SECONDS = 600;
const LONGEST_TOKEN_SECONDS = 2 ** 32;
const SHORTEST_UPDATE_PERIOD_SECONDS = 10;

/** Source: Kubernetes pkg/apis/storage/validation/validation.go. */
export function validateCsiDriver(driver: CSIDriver): FieldError[] {
  return [
    ...validateCoreObjectMeta(driver, { namespaced: false, nameRule: nameIsSubdomain }),
    ...validateSpec(driver.spec ?? {}),
  ];
}

export function validateCsiDriverUpdate(driver: CSIDriver, old: CSIDriver): FieldError[] {
  const [spec, before] = [driver.spec ?? {}, old.spec ?? {}];
  return [
    ...validateCoreObjectMetaUpdate(driver, old),
    ...validateSpec(spec),
    // The misspelt path is upstream's.
    ...checkImmutable(spec.attachRequired, before.attachRequired, 'spec.attachedRequired'),
    ...checkImmutable(spec.volumeLifecycleModes, before.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
  ];
}

function validateSpec(spec: CSIDriverSpec): FieldError[] {
  const { nodeAllocatableUpdatePeriodSeconds: periodSeconds, serviceAccountTokenInSecrets } = spec;
  return [
    ...(spec.attachRequired === undefined ? [required('spec.attachedRequired')] : []),
    ...(spec.podInfoOnMount === undefined ? [required('spec.podInfoOnMount')] : []),
    ...(spec.storageCapacity === undefined ? [required('spec.storageCapacity')] : []),
    ...checkEnum(spec.fsGroupPolicy, 'spec.fsGroupPolicy', ['File', 'None', 'ReadWriteOnceWithFSType']),
    ...validateTokenRequests(spec.tokenRequests ?? []),
    ...(spec.volumeLifecycleModes ?? [])
      .filter((mode) => mode !== 'Persistent' && mode !== 'Ephemeral')
      .map((mode) => notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral'])),
    ...(spec.seLinuxMount === undefined ? [required('spec.seLinuxMount')] : []),
    ...(periodSeconds !== undefined && periodSeconds < SHORTEST_UPDATE_PERIOD_SECONDS
      ? [
          invalid(
            'spec.nodeAllocatableUpdatePeriodSeconds',
            periodSeconds,
            'must be greater than or equal to 10 seconds',
          ),
        ]
      : []),
    ...(serviceAccountTokenInSecrets !== undefined && (spec.tokenRequests ?? []).length === 0
      ? [
          invalid(
            'spec.serviceAccountTokenInSecrets',
            serviceAccountTokenInSecrets,
            'serviceAccountTokenInSecrets is set but no tokenRequests are specified',
          ),
        ]
      : []),
  ];
}

function validateTokenRequests(requests: StorageV1TokenRequest[]): FieldError[] {
  const audiences = new Set<string>();
  return requests.flatMap(({ audience = '', expirationSeconds }, index) => {
    const path = `spec.tokenRequests[${index}]`;
    if (audiences.has(audience)) return [duplicate(`${path}.audience`, audience)];
    audiences.add(audience);
    const wrong = wrongDuration(expirationSeconds);
    return wrong === undefined ? [] : [invalid(`${path}.expirationSeconds`, expirationSeconds, wrong)];
  });
}

function wrongDuration(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  if (seconds < SHORTEST_TOKEN_SECONDS) return 'may not specify a duration less than 10 minutes';
  return seconds > LONGEST_TOKEN_SECONDS ? 'may not specify a duration larger than 2^32 seconds' : undefined;
}
