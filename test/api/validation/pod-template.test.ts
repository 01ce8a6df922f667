import type { PodTemplateSpec } from '../../../api/types.ts';
import { refusesObject } from './objects.ts';
import type { ObjectRefusal } from './objects.ts';

const podTemplate = (template?: PodTemplateSpec, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PodTemplate',
  metadata: { name: 'x', namespace: 'default', resourceVersion: '1', ...metadata },
  ...(template !== undefined && { template }),
});
const containers = [{ name: 'main', image: 'busybox' }];

const refusals: ObjectRefusal[] = [
  { title: 'a good PodTemplate', object: podTemplate({ spec: { containers } }), errors: [] },
  {
    title: 'a PodTemplate with nothing in it',
    object: podTemplate(),
    errors: ['template.spec.containers: Required value'],
  },
  {
    title: "the metadata of a PodTemplate's template",
    object: podTemplate({
      metadata: {
        labels: { 'a b': 'c' },
        annotations: {
          'd e': '',
          'kubernetes.io/config.mirror': 'x',
          'controller.kubernetes.io/pod-deletion-cost': '+1',
        },
      },
      spec: { containers },
    }),
    errors: [
      "template.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "template.annotations: Invalid value: \"d e\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'template.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
      'template.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
    ],
  },
  {
    title: "the spec of a PodTemplate's template",
    object: podTemplate({
      spec: {
        containers,
        restartPolicy: 'Sometimes',
        ephemeralContainers: [{ name: 'e', image: 'busybox' }],
      },
    }),
    errors: [
      'template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      'template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
    ],
  },
  {
    title: 'a finalizer of a PodTemplate without a domain',
    object: podTemplate({ spec: { containers } }, { finalizers: ['mine'] }),
    errors: [
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
  {
    title: 'a changed PodTemplate: all of the template may change, and is checked',
    object: podTemplate({ metadata: { labels: { a: '-' } }, spec: { containers, hostname: 'other' } }),
    old: podTemplate({ spec: { containers } }),
    errors: [
      "template.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  },
];

for (const refusal of refusals) refusesObject(refusal);
