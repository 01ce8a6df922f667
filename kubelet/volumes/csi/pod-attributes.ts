import type { CSIDriver, Pod } from '../../../api/types.ts';
import type { SetUpOptions } from '../plugin.ts';
import type { LifecycleMode } from './driver-objects.ts';

/** What a driver is told of the Pod, when its CSIDriver asks for it (podInfoOnMount). */
export const podInfo = (
  driver: CSIDriver | undefined,
  { metadata, spec }: Pod,
  mode: LifecycleMode,
): Record<string, string> => {
  if (driver?.spec.podInfoOnMount !== true) return {};
  return {
    'csi.storage.k8s.io/pod.name': metadata?.name ?? '',
    'csi.storage.k8s.io/pod.namespace': metadata?.namespace ?? '',
    'csi.storage.k8s.io/pod.uid': metadata?.uid ?? '',
    'csi.storage.k8s.io/serviceAccount.name': spec?.serviceAccountName ?? '',
    'csi.storage.k8s.io/ephemeral': String(mode === 'Ephemeral'),
  };
};

export interface ServiceAccountTokens {
  attributes: Record<string, string>;
  /** To be sent among the secrets, not in the volume context, which drivers write to logs. */
  inSecrets: boolean;
  refreshAtMs?: number | undefined;
}

const tokensKey = 'csi.storage.k8s.io/serviceAccount.tokens';

/** The tokens of the Pod's service account that a CSIDriver asks for (tokenRequests), as JSON by audience. */
export const serviceAccountTokens = async (
  driver: CSIDriver | undefined,
  { pod, services }: Pick<SetUpOptions, 'pod' | 'services'>,
): Promise<ServiceAccountTokens> => {
  const requests = driver?.spec.tokenRequests ?? [];
  const inSecrets = driver?.spec.serviceAccountTokenInSecrets === true;
  if (requests.length === 0) return { attributes: {}, inSecrets: false };
  const tokens = await Promise.all(
    requests.map(async ({ audience, expirationSeconds = 3600 }) => {
      const token = await services.getToken({ pod, audience, expirationSeconds });
      return { audience, ...token };
    }),
  );
  const byAudience = tokens.map(({ audience, token, expiresAtMs }) => {
    const expirationTimestamp = new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
    return [audience, { token, expirationTimestamp }];
  });
  return {
    attributes: { [tokensKey]: JSON.stringify(Object.fromEntries(byAudience)) },
    inSecrets,
    refreshAtMs: Math.min(...tokens.map(({ refreshAtMs }) => refreshAtMs)),
  };
};
