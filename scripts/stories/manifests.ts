/** The objects of the Pod story, as a reader would write them in YAML. */
export const NAMESPACE = 'story';

const metadata = (name: string, labels?: Record<string, string>) => ({
  name,
  namespace: NAMESPACE,
  ...(labels === undefined ? {} : { labels }),
});

/** Ends at once on SIGTERM, so that deleting needs no grace. */
const sleepForever = ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"];

export const web = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata('web', { app: 'web', tier: 'front' }),
  spec: {
    volumes: [
      { name: 'shared', emptyDir: {} },
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'credentials', secret: { secretName: 'credentials' } },
      {
        name: 'about-me',
        downwardAPI: {
          items: [
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
          ],
        },
      },
    ],
    containers: [
      {
        name: 'server',
        image: 'busybox',
        command: [
          'sh',
          '-c',
          "trap 'exit 1' TERM; echo serving /www on 8080; httpd -f -p 8080 -h /www & wait",
        ],
        volumeMounts: [{ name: 'shared', mountPath: '/www' }],
      },
      {
        name: 'visitor',
        image: 'busybox',
        command: sleepForever,
        volumeMounts: [
          { name: 'shared', mountPath: '/data' },
          { name: 'settings', mountPath: '/etc/settings' },
          { name: 'credentials', mountPath: '/etc/credentials' },
          { name: 'about-me', mountPath: '/etc/about-me' },
        ],
      },
    ],
  },
};

export const settings = (greeting: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata('settings'),
  data: { greeting },
});

export const credentials = (password: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: metadata('credentials'),
  stringData: { password },
});

export const keeper = (name: string, path: string, command: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(name),
  spec: {
    restartPolicy: 'Never',
    volumes: [{ name: 'host', hostPath: { path, type: 'DirectoryOrCreate' } }],
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: ['sh', '-c', command],
        volumeMounts: [{ name: 'host', mountPath: '/host' }],
      },
    ],
  },
});

export const wantsMissing = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata('stuck'),
  spec: {
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: sleepForever,
        env: [{ name: 'MODE', valueFrom: { configMapKeyRef: { name: 'later', key: 'mode' } } }],
      },
    ],
  },
};
