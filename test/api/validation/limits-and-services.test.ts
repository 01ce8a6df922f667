import { refusesObject } from './objects.ts';
import type { ObjectRefusal } from './objects.ts';

const refusals: ObjectRefusal[] = [
  {
    title: 'the amounts of a LimitRange',
    object: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '1', memory: '1Gi' },
            min: { cpu: '2' },
            default: { cpu: '3' },
            defaultRequest: { cpu: '4' },
            maxLimitRequestRatio: { cpu: '0.5' },
          },
        ],
      },
    },
    errors: [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than default limit value 3',
      'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
    ],
  },
  {
    title: 'the types of a LimitRange',
    object: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        limits: [
          { type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' }, max: { foo: '1' } },
          { type: 'Pod' },
          { type: 'Bad' },
          { type: 'PersistentVolumeClaim', max: { cpu: '1' } },
        ],
      },
    },
    errors: [
      'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource for containers',
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
      'spec.limits[1].type: Duplicate value: "Pod"',
      'spec.limits[2].type: Invalid value: "Bad": must be a standard limit type or fully qualified',
      'spec.limits[3].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
  },
  {
    title: 'the ratios of a LimitRange',
    object: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        limits: [
          { type: 'Container', max: { cpu: '4' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '10' } },
          { type: 'a/b', default: { 'example.com/x': '2' }, defaultRequest: { 'example.com/x': '1' } },
        ],
      },
    },
    errors: [
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "10": ratio 10 is greater than max/min = 4.000000',
      'spec.limits[1].defaultRequest[example.com/x]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/x',
    ],
  },
  {
    title: 'other scopes of a ResourceQuota',
    object: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { hard: { pods: '1' }, scopes: ['BestEffort'] },
    },
    old: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { hard: { pods: '1' } },
    },
    errors: ['spec.scopes: Invalid value: ["BestEffort"]: field is immutable'],
  },
  {
    title: 'a Service without ports',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
    },
    errors: ['spec.ports: Required value'],
  },
  {
    title: 'the ports of a Service',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [
          { port: 0 },
          { port: 80, name: 'A', protocol: 'X', targetPort: 'bad_name', appProtocol: 'a b' },
          { port: 80, name: 'b' },
          { port: 80, name: 'b' },
        ],
      },
    },
    errors: [
      'spec.ports[0].name: Required value',
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      "spec.ports[1].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[1].targetPort: Invalid value: "bad_name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      "spec.ports[1].appProtocol: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.ports[3].name: Duplicate value: "b"',
      'spec.ports[3]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
  },
  {
    title: 'a headless NodePort',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        clusterIP: 'None',
        clusterIPs: ['None'],
        type: 'NodePort',
        ports: [{ port: 80 }],
      },
    },
    errors: ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
  },
  {
    title: 'the type of a Service',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        type: 'Foo',
        sessionAffinity: 'Bar',
        ports: [{ port: 80 }],
      },
    },
    errors: [
      'spec.sessionAffinity: Unsupported value: "Bar": supported values: "ClientIP", "None"',
      'spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  },
  {
    title: 'an ExternalName',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { type: 'ExternalName', externalName: 'A_b' },
    },
    errors: [
      "spec.externalName: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    title: 'an ExternalName with addresses',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { type: 'ExternalName', clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.4'], ipFamilies: ['IPv4'] },
    },
    errors: [
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.externalName: Required value',
    ],
  },
  {
    title: 'node ports and policies',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        type: 'NodePort',
        ports: [
          { port: 80, nodePort: 30000, name: 'a' },
          { port: 81, nodePort: 30000, name: 'b' },
        ],
        externalTrafficPolicy: 'X',
        internalTrafficPolicy: 'Y',
        trafficDistribution: 'Z',
      },
    },
    errors: [
      'spec.ports[1].nodePort: Duplicate value: 30000',
      'spec.externalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
      'spec.internalTrafficPolicy: Unsupported value: "Y": supported values: "Cluster", "Local"',
      'spec.trafficDistribution: Unsupported value: "Z": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
    ],
  },
  {
    title: 'another cluster IP',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [{ port: 80 }],
        clusterIP: '10.0.0.2',
        clusterIPs: ['10.0.0.2'],
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [{ port: 80 }],
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
      },
    },
    errors: ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
  },
  {
    title: 'a cluster IP',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [{ port: 80 }],
        clusterIP: 'bad',
        clusterIPs: ['bad'],
      },
    },
    errors: [
      'spec.clusterIPs[0]: Invalid value: "bad": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  },
  {
    title: 'a PriorityClass of the system',
    object: {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'system-mine' },
      value: 1,
    },
    errors: [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
    ],
  },
  {
    title: 'too high a priority',
    object: {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 2000000000,
      preemptionPolicy: 'X',
    },
    errors: [
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
      'preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
    ],
  },
];

for (const refusal of refusals) refusesObject(refusal);
