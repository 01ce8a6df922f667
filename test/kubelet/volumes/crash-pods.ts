import type { Pod } from '../../../api/types.ts';
import type { FakeApi } from './fake-api.ts';

const volumes = [
  { name: 'disk', emptyDir: {} },
  { name: 'memory', emptyDir: { medium: 'Memory' } },
  { name: 'config', configMap: { name: 'c' } },
  { name: 'secret', secret: { secretName: 's' } },
];

/** Pods with every kind of mount, the same in each process. */
export const crashPods: Pod[] = [0, 1, 2, 3].map((index) => ({
  metadata: { name: `crash-${index}`, namespace: 'default', uid: `crash-${index}` },
  spec: {
    volumes,
    securityContext: { fsGroup: 3000 },
    containers: [
      {
        name: 'main',
        volumeMounts: [
          ...volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
          { name: 'disk', mountPath: '/sub', subPath: 'a/b' },
          { name: 'config', mountPath: '/file', subPath: 'value' },
        ],
      },
    ],
  },
}));

/** What the Pods' volumes show. */
export const crashObjects = (api: FakeApi, value: string): void => {
  api.put('configmaps', { metadata: { name: 'c', namespace: 'default' }, data: { value } });
  api.put('secrets', { metadata: { name: 's', namespace: 'default' }, data: { value: btoa(value) } });
};
