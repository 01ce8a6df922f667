import { refuses } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { inContainer } from './refusals.ts';
import { inSpec } from './refusals.ts';

/** What is wrong with a Pod, how it comes about, and all that validation says: field, kind of error, words. */
const refusals: Refusal[] = [
  ['no containers', inSpec({ containers: [] }), ['spec.containers: Required value']],
  ['no image', inContainer({ image: '' }), ['spec.containers[0].image: Required value']],
  [
    'blanks around an image',
    inContainer({ image: ' busybox ' }),
    ['spec.containers[0].image: Invalid value: " busybox ": must not have leading or trailing whitespace'],
  ],
  [
    'a container name',
    inContainer({ name: 'Main' }),
    [
      "spec.containers[0].name: Invalid value: \"Main\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  ['no container name', inContainer({ name: '' }), ['spec.containers[0].name: Required value']],
  [
    'a name twice',
    (pod) => pod.spec.containers.push({ name: 'main', image: 'x' }),
    ['spec.containers[1].name: Duplicate value: "main"'],
  ],
  [
    'an init container with the name of another, hooks and probes',
    inSpec({
      initContainers: [
        { name: 'main', image: 'x' },
        { name: 'i', image: 'x', livenessProbe: { exec: { command: ['x'] } }, lifecycle: {} },
      ],
    }),
    [
      'spec.initContainers[0].name: Duplicate value: "main"',
      'spec.initContainers[1].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
      'spec.initContainers[1].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    'a sidecar with an empty probe',
    inSpec({
      initContainers: [
        { name: 'i', image: 'x', restartPolicy: 'Always', livenessProbe: { exec: { command: [] } } },
      ],
    }),
    ['spec.initContainers[0].livenessProbe.exec.command: Required value'],
  ],
  [
    'a restart policy of an init container',
    inSpec({ initContainers: [{ name: 'i', image: 'x', restartPolicy: 'Sometimes' }] }),
    [
      'spec.initContainers[0].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
  ],
  [
    'a restart policy of a container',
    inContainer({ restartPolicy: 'Bad' }),
    [
      'spec.containers[0].restartPolicy: Unsupported value: "Bad": supported values: "Always", "Never", "OnFailure"',
    ],
  ],
  [
    'restart rules',
    inContainer({ restartPolicyRules: [{ action: 'Foo' }] }),
    [
      'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
      'spec.containers[0].restartPolicyRules[0].action: Unsupported value: "Foo": supported values: "Restart", "RestartAllContainers"',
      'spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified',
    ],
  ],
  [
    'a termination message policy',
    inContainer({ terminationMessagePolicy: 'X' }),
    [
      'spec.containers[0].terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"',
    ],
  ],
  [
    'a pull policy',
    inContainer({ imagePullPolicy: 'X' }),
    [
      'spec.containers[0].imagePullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
    ],
  ],
  [
    'ports',
    inContainer({
      ports: [
        { containerPort: 0 },
        { containerPort: 70000, protocol: 'X', name: 'UPPER' },
        { containerPort: 80, hostPort: 99999 },
        { containerPort: 1, name: 'a' },
        { containerPort: 2, name: 'a' },
        { containerPort: 3, name: 'way-too-long-port-name' },
      ],
    }),
    [
      'spec.containers[0].ports[0].containerPort: Required value',
      'spec.containers[0].ports[1].name: Invalid value: "UPPER": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.containers[0].ports[1].name: Invalid value: "UPPER": must contain at least one letter (a-z)',
      'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.containers[0].ports[2].hostPort: Invalid value: 99999: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[4].name: Duplicate value: "a"',
      'spec.containers[0].ports[5].name: Invalid value: "way-too-long-port-name": must be no more than 15 characters',
    ],
  ],
  [
    'a host port twice',
    (pod) => {
      pod.spec.containers[0].ports = [{ containerPort: 80, hostPort: 80 }];
      pod.spec.containers.push({ name: 'b', image: 'x', ports: [{ containerPort: 81, hostPort: 80 }] });
    },
    ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
  ],
  [
    'environment variables',
    inContainer({
      env: [
        { name: '' },
        { name: 'A=B' },
        { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'B', valueFrom: {} },
        { name: 'C', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } },
        { name: 'D', valueFrom: { fieldRef: { fieldPath: 'spec.foo' } } },
        { name: 'E', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } },
        { name: 'F', valueFrom: { fieldRef: { fieldPath: "metadata.name['a']" } } },
        { name: 'G', valueFrom: { fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } } },
        { name: 'H', valueFrom: { resourceFieldRef: { resource: 'limits.foo' } } },
        { name: 'I', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } },
        { name: 'J', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '3Mi' } } },
        { name: 'K', valueFrom: { configMapKeyRef: { name: '', key: '' } } },
        { name: 'L', valueFrom: { secretKeyRef: { name: 's', key: '..' } } },
        {
          name: 'M',
          valueFrom: { secretKeyRef: { name: 's', key: 'k' }, configMapKeyRef: { name: 's', key: 'k' } },
        },
        { name: 'N', valueFrom: { resourceFieldRef: { resource: '' } } },
        { name: 'O', valueFrom: { fieldRef: { fieldPath: '' } } },
      ],
    }),
    [
      'spec.containers[0].env[0].name: Required value',
      'spec.containers[0].env[1].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
      'spec.containers[0].env[2].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      'spec.containers[0].env[3].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      'spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      'spec.containers[0].env[5].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo',
      "spec.containers[0].env[6].valueFrom.fieldRef: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "spec.containers[0].env[7].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name['a']\": error converting fieldPath: field label does not support subscript: metadata.name['a']",
      'spec.containers[0].env[8].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2',
      'spec.containers[0].env[9].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.foo": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
      'spec.containers[0].env[10].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
      'spec.containers[0].env[11].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.memory": only divisor\'s values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource',
      "spec.containers[0].env[12].valueFrom.configMapKeyRef.name: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.containers[0].env[12].valueFrom.configMapKeyRef.key: Required value',
      'spec.containers[0].env[13].valueFrom.secretKeyRef.key: Invalid value: "..": must not be \'..\'',
      'spec.containers[0].env[14].valueFrom: Invalid value: "": may not have more than one field specified at a time',
      'spec.containers[0].env[15].valueFrom.resourceFieldRef.resource: Required value',
      'spec.containers[0].env[16].valueFrom.fieldRef.fieldPath: Required value',
    ],
  ],
  [
    'variables from files',
    inContainer({
      env: [
        { name: 'A', valueFrom: { fileKeyRef: { key: '', volumeName: '', path: '' } } },
        { name: 'B', valueFrom: { fileKeyRef: { key: 'a', volumeName: 'nope', path: '../x' } } },
      ],
    }),
    [
      'spec.containers[0].env[0].valueFrom.fileKeyRef.key: Required value',
      'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Required value',
      'spec.containers[0].env[0].valueFrom.fileKeyRef.path: Required value',
      'spec.containers[0].env[1].valueFrom.fileKeyRef.path: Invalid value: "../x": must not contain \'..\'',
      'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Not found: ""',
      'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: "nope"',
    ],
  ],
  [
    'environments',
    inContainer({
      envFrom: [
        {},
        { prefix: 'a=b', configMapRef: { name: '' } },
        { secretRef: { name: 'X' }, configMapRef: { name: 'ok' } },
      ],
    }),
    [
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
      'spec.containers[0].envFrom[1].prefix: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
      'spec.containers[0].envFrom[1].configMapRef.name: Required value',
      "spec.containers[0].envFrom[2].secretRef.name: Invalid value: \"X\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.containers[0].envFrom: Invalid value: "": may not have more than one field specified at a time',
    ],
  ],
  [
    'mounts',
    (pod) => {
      pod.spec.volumes = [{ name: 'v', emptyDir: {} }];
      pod.spec.containers[0].volumeMounts = [
        { name: 'v', mountPath: '' },
        { name: 'w', mountPath: '/x' },
        { name: 'v', mountPath: '/x' },
        { name: 'v', mountPath: '/s', subPath: '../a' },
        { name: 'v', mountPath: '/t', subPath: '/abs', subPathExpr: 'x' },
        { name: 'v', mountPath: '/u', subPathExpr: '/abs' },
        { name: 'v', mountPath: '/p', mountPropagation: 'Bidirectional' },
        { name: 'v', mountPath: '/q', mountPropagation: 'Foo' },
        { name: 'v', mountPath: '/r', recursiveReadOnly: 'Enabled' },
        { name: 'v', mountPath: '/r2', recursiveReadOnly: 'Nope' },
        {
          name: 'v',
          mountPath: '/r3',
          readOnly: true,
          recursiveReadOnly: 'IfPossible',
          mountPropagation: 'HostToContainer',
        },
      ];
    },
    [
      'spec.containers[0].volumeMounts[0].mountPath: Required value',
      'spec.containers[0].volumeMounts[1].name: Not found: "w"',
      'spec.containers[0].volumeMounts[2].mountPath: Invalid value: "/x": must be unique',
      'spec.containers[0].volumeMounts.subPath: Invalid value: "../a": must not contain \'..\'',
      'spec.containers[0].volumeMounts.subPath: Invalid value: "/abs": must be a relative path',
      'spec.containers[0].volumeMounts[4].subPathExpr: Invalid value: "x": subPathExpr and subPath are mutually exclusive',
      'spec.containers[0].volumeMounts.subPathExpr: Invalid value: "/abs": must be a relative path',
      'spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
      'spec.containers[0].volumeMounts.mountPropagation: Unsupported value: "Foo": supported values: "Bidirectional", "HostToContainer", "None"',
      'spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
      'spec.containers[0].volumeMounts.recursiveReadOnly: Unsupported value: "Nope": supported values: "Disabled", "Enabled", "IfPossible"',
      'spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified',
    ],
  ],
  [
    'devices',
    (pod) => {
      pod.spec.volumes = [
        { name: 'v', emptyDir: {} },
        { name: 'p', persistentVolumeClaim: { claimName: 'c' } },
      ];
      pod.spec.containers[0].volumeDevices = [
        { name: 'v', devicePath: '/dev/a' },
        { name: 'p', devicePath: '/dev/../b' },
        { name: 'x', devicePath: '' },
        { name: 'p', devicePath: '/dev/c' },
      ];
      pod.spec.containers[0].volumeMounts = [{ name: 'p', mountPath: '/dev/c' }];
    },
    [
      'spec.containers[0].volumeMounts[0].name: Invalid value: "p": must not already exist in volumeDevices',
      'spec.containers[0].volumeMounts[0].mountPath: Invalid value: "/dev/c": must not already exist as a path in volumeDevices',
      'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      'spec.containers[0].volumeDevices[1].devicePath: Invalid value: "/dev/../b": can not contain backsteps (\'..\')',
      'spec.containers[0].volumeDevices[1].name: Invalid value: "p": must not already exist in volumeMounts',
      'spec.containers[0].volumeDevices[2].name: Not found: "x"',
      'spec.containers[0].volumeDevices[2].devicePath: Required value',
      'spec.containers[0].volumeDevices[3].name: Invalid value: "p": must be unique',
      'spec.containers[0].volumeDevices[3].name: Invalid value: "p": must not already exist in volumeMounts',
      'spec.containers[0].volumeDevices[3].devicePath: Invalid value: "/dev/c": must not already exist as a path in volumeMounts',
    ],
  ],
  [
    'huge pages alone',
    inContainer({ resources: { limits: { 'hugepages-2Mi': '4Mi' } } }),
    ['spec.containers[0].resources: Forbidden: HugePages require cpu or memory'],
  ],
  [
    'resource claims',
    inContainer({ resources: { claims: [{ name: 'a' }, { name: 'a' }, { name: '' }] } }),
    [
      'spec.containers[0].resources.claims[0]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty',
      'spec.containers[0].resources.claims[1]: Duplicate value: "a"',
      'spec.containers[0].resources.claims[1]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty',
      'spec.containers[0].resources.claims[2]: Required value',
    ],
  ],
  [
    'resize policies',
    inContainer({
      resizePolicy: [
        { resourceName: 'cpu', restartPolicy: 'X' },
        { resourceName: 'disk', restartPolicy: 'NotRequired' },
        { resourceName: 'cpu', restartPolicy: 'NotRequired' },
      ],
    }),
    [
      'spec.containers[0].resizePolicy: Unsupported value: "X": supported values: "NotRequired", "RestartContainer"',
      'spec.containers[0].resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"',
      'spec.containers[0].resizePolicy[2]: Duplicate value: "cpu"',
    ],
  ],
  [
    'probes',
    inContainer({
      livenessProbe: {
        httpGet: { port: 0, path: '', scheme: 'FTP', httpHeaders: [{ name: 'a b', value: '' }] },
        successThreshold: 2,
        timeoutSeconds: -1,
        terminationGracePeriodSeconds: 0,
      },
      readinessProbe: { tcpSocket: { port: 'bad_name' }, terminationGracePeriodSeconds: 3 },
      startupProbe: { grpc: { port: 70000 }, successThreshold: 3 },
    }),
    [
      'spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
      "spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
      'spec.containers[0].livenessProbe.timeoutSeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
      'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
      'spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: "bad_name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes',
      'spec.containers[0].startupProbe.grpc.port: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].startupProbe.successThreshold: Invalid value: 3: must be 1',
    ],
  ],
  [
    'handlers',
    inContainer({
      livenessProbe: {},
      readinessProbe: { exec: { command: [] }, httpGet: { port: 80 } },
      startupProbe: { tcpSocket: { port: '-a-' } },
    }),
    [
      'spec.containers[0].livenessProbe: Required value: must specify a handler type',
      'spec.containers[0].readinessProbe.exec.command: Required value',
      'spec.containers[0].readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type',
      'spec.containers[0].startupProbe.tcpSocket.port: Invalid value: "-a-": must not begin or end with a hyphen',
    ],
  ],
  [
    'hooks',
    inContainer({
      lifecycle: { postStart: {}, preStop: { sleep: { seconds: 100 } }, stopSignal: 'SIGTERM' },
    }),
    [
      'spec.containers[0].lifecycle.postStart: Required value: must specify a handler type',
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 100: must be non-negative and less than terminationGracePeriodSeconds (30)',
      'spec.containers[0].lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`',
    ],
  ],
  [
    'profiles',
    inContainer({
      securityContext: {
        seccompProfile: { type: 'Localhost', localhostProfile: '/abs/../x' },
        appArmorProfile: { type: 'Localhost', localhostProfile: ' a' },
      },
    }),
    [
      'spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "/abs/../x": must be a relative path',
      'spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "/abs/../x": must not contain \'..\'',
      'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with whitespace',
    ],
  ],
  [
    'profile types',
    inContainer({ securityContext: { seccompProfile: {}, appArmorProfile: { type: 'Bad' } } }),
    [
      'spec.containers[0].securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set',
      'spec.containers[0].securityContext.appArmorProfile.type: Unsupported value: "Bad": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
    ],
  ],
  [
    'ephemeral containers of a new Pod',
    inSpec({
      ephemeralContainers: [
        {
          name: 'e',
          image: 'x',
          ports: [{ containerPort: 1 }],
          targetContainerName: 'nope',
          livenessProbe: { exec: { command: ['a'] } },
          resources: { limits: { cpu: '1' } },
        },
      ],
    }),
    [
      'spec.ephemeralContainers[0].targetContainerName: Not found: "nope"',
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].livenessProbe: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
  ],
];

for (const refusal of refusals) refuses(refusal);
