import type { VolumeProjection } from '../../api/types.ts';
import { aggregate } from './aggregate.ts';
import { configMapPayload } from './config-map.ts';
import { downwardApiPayload } from './downward-api.ts';
import { tearDownDirectory } from './empty-dir.ts';
import { commonUser, fsGroupOf } from './ownership.ts';
import type { FileProjection, Payload } from './payload.ts';
import type { SetUpOptions, VolumePlugin } from './plugin.ts';
import { secretPayload } from './secret.ts';
import { writeVolume } from './write-volume.ts';

/** Several sources in one folder, in a tmpfs; service account tokens are renewed in time. */
export const projectedPlugin: VolumePlugin = {
  name: 'kubernetes.io/projected',
  canSupport: ({ volume }) => volume.projected !== undefined,
  requiresRemount: true,
  readOnly: true,

  async setUp(options) {
    const { sources = [], defaultMode = 0o644 } = options.volume.projected ?? {};
    // Together, because each may have to wait for the API server; a later source wins where two have the same path.
    const asked = sources.map((source) => projectionOf(options, source, defaultMode));
    const outcomes = await Promise.allSettled(asked);
    const errors = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    if (errors.length > 0) throw aggregate(errors);
    const projections = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value] : [],
    );
    const files = new Map<string, FileProjection>(projections.flatMap(({ payload }) => [...payload]));
    const refreshTimes = projections.flatMap(({ refreshAtMs }) => refreshAtMs ?? []);
    writeVolume(options, files);
    return refreshTimes.length === 0 ? undefined : { refreshAtMs: Math.min(...refreshTimes) };
  },

  tearDown: tearDownDirectory,
};

interface Projection {
  payload: Payload;
  refreshAtMs?: number;
}

const projectionOf = async (
  options: SetUpOptions,
  projection: VolumeProjection,
  defaultMode: number,
): Promise<Projection> => {
  const { pod, services } = options;
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } =
    projection;
  const common = { services, namespace: pod.metadata?.namespace ?? '', defaultMode };
  if (configMap !== undefined) {
    const { name = '', items, optional } = configMap;
    return { payload: await configMapPayload({ ...common, source: { name, items, optional } }) };
  }
  if (secret !== undefined) {
    const { name = '', items, optional } = secret;
    return { payload: await secretPayload({ ...common, source: { name, items, optional } }) };
  }
  if (downwardAPI !== undefined) {
    return { payload: downwardApiPayload({ pod, services, defaultMode, items: downwardAPI.items ?? [] }) };
  }
  if (serviceAccountToken !== undefined) return tokenOf(options, serviceAccountToken, defaultMode);
  if (clusterTrustBundle !== undefined) throw new Error('ClusterTrustBundle projection is not supported');
  if (podCertificate !== undefined) throw new Error('PodCertificate projection is not supported');
  return { payload: new Map() };
};

const tokenOf = async (
  { pod, services }: SetUpOptions,
  { audience, expirationSeconds = 3600, path }: NonNullable<VolumeProjection['serviceAccountToken']>,
  defaultMode: number,
): Promise<Projection> => {
  const { token, refreshAtMs } = await services.getToken({ pod, audience, expirationSeconds });
  const user = commonUser(pod);
  // A token that its user or group can read needs no others: fsGroup makes 0640 of it (KEP-1205, "File Permission").
  const mode = user !== undefined || fsGroupOf(pod) !== undefined ? 0o600 : defaultMode;
  return { payload: new Map([[path, { data: Buffer.from(token), mode, user }]]), refreshAtMs };
};
