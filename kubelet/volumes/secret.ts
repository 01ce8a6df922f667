import { orEmpty, payloadOf } from './config-map.ts';
import type { SourceOptions } from './config-map.ts';
import { tearDownDirectory } from './empty-dir.ts';
import type { Payload } from './payload.ts';
import type { VolumePlugin } from './plugin.ts';
import { writeVolume } from './write-volume.ts';

/** The data of a Secret as files in a tmpfs, following every change of it. */
export const secretPlugin: VolumePlugin = {
  name: 'kubernetes.io/secret',
  canSupport: ({ volume }) => volume.secret !== undefined,
  requiresRemount: true,
  readOnly: true,

  async setUp(options) {
    const { secretName = '', items, defaultMode = 0o644, optional } = options.volume.secret ?? {};
    const payload = await secretPayload({
      services: options.services,
      namespace: options.pod.metadata?.namespace ?? '',
      source: { name: secretName, items, optional },
      defaultMode,
    });
    writeVolume(options, payload);
    return undefined;
  },

  tearDown: tearDownDirectory,
};

/** The files that a Secret makes: all its keys, or the items. Rejects with upstream's words. */
export const secretPayload = async (options: SourceOptions): Promise<Payload> => {
  const { services, namespace, source, defaultMode } = options;
  const { data = {} } = await orEmpty(services.getSecret(namespace, source.name), source.optional);
  return payloadOf({
    data: new Map(Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64')])),
    items: source.items,
    optional: source.optional,
    defaultMode,
    missing: (key) => `references non-existent secret key: ${key}`,
  });
};
