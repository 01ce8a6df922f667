import type { ConfigMap, KeyToPath } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { tearDownDirectory } from './empty-dir.ts';
import type { FileProjection, Payload } from './payload.ts';
import type { VolumePlugin, VolumeServices } from './plugin.ts';
import { writeVolume } from './write-volume.ts';

/** The data of a ConfigMap as files, following every change of it. */
export const configMapPlugin: VolumePlugin = {
  name: 'kubernetes.io/configmap',
  canSupport: ({ volume }) => volume.configMap !== undefined,
  requiresRemount: true,
  readOnly: true,

  async setUp(options) {
    const { name = '', items, defaultMode = 0o644, optional } = options.volume.configMap ?? {};
    const namespace = options.pod.metadata?.namespace ?? '';
    const payload = await configMapPayload({
      services: options.services,
      namespace,
      source: { name, items, optional },
      defaultMode,
    });
    writeVolume(options, payload);
    return undefined;
  },

  tearDown: tearDownDirectory,
};

export interface SourceOptions {
  services: Pick<VolumeServices, 'getConfigMap' | 'getSecret'>;
  namespace: string;
  source: { name: string; items?: KeyToPath[] | undefined; optional?: boolean | undefined };
  defaultMode: number;
}

/** The files that a ConfigMap makes: all its keys, or the items. Rejects with upstream's words. */
export const configMapPayload = async (options: SourceOptions): Promise<Payload> => {
  const { services, namespace, source, defaultMode } = options;
  const configMap = await orEmpty(services.getConfigMap(namespace, source.name), source.optional);
  return payloadOf({
    data: dataOf(configMap),
    items: source.items,
    optional: source.optional,
    defaultMode,
    missing: (key) => `configmap references non-existent config key: ${key}`,
  });
};

const dataOf = ({ data = {}, binaryData = {} }: ConfigMap): Map<string, Buffer> =>
  new Map([
    ...Object.entries(binaryData).map(([key, base64]) => [key, Buffer.from(base64, 'base64')] as const),
    ...Object.entries(data).map(([key, text]) => [key, Buffer.from(text)] as const),
  ]);

/** An optional object that isn't there is an empty one. */
export const orEmpty = async <T extends object>(
  object: Promise<T>,
  optional = false,
): Promise<T | Record<string, never>> => {
  try {
    return await object;
  } catch (error) {
    if (optional && isNotFound(error)) return {};
    throw error;
  }
};

export interface KeysOptions {
  data: ReadonlyMap<string, Buffer>;
  items: KeyToPath[] | undefined;
  optional: boolean | undefined;
  defaultMode: number;
  /** The error for an item whose key isn't there. */
  missing: (key: string) => string;
}

/** Every key as a file of its name; or, with items, those keys at their paths. */
export const payloadOf = ({ data, items = [], optional, defaultMode, missing }: KeysOptions): Payload => {
  const file = (bytes: Buffer, mode = defaultMode): FileProjection => ({ data: bytes, mode });
  if (items.length === 0) return new Map([...data].map(([key, bytes]) => [key, file(bytes)]));
  const payload = new Map<string, FileProjection>();
  for (const { key, path, mode } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) payload.set(path, file(bytes, mode));
    else if (optional !== true) throw new Error(missing(key));
  }
  return payload;
};
