import type { Container, PodTemplate } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { podTemplateWarnings } from '../pod-warnings/pod-warnings.ts';
import { formatLabels, nameColumn, text } from '../printers/columns.ts';

const containersOf = ({ template }: PodTemplate): Container[] => template?.spec?.containers ?? [];

/** Of a new template, or of a new generation of it. */
const warnings = ({ metadata, template = {} }: PodTemplate, old?: PodTemplate): string[] =>
  metadata?.generation === old?.metadata?.generation ? [] : podTemplateWarnings(template, 'template');

export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  namespaced: true,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  tracksGeneration: true,
  columns: [
    nameColumn(),
    text('Containers', 'Names of each container in the template.', (object) =>
      containersOf(object)
        .map(({ name }) => name)
        .join(','),
    ),
    text('Images', 'Images referenced by each container in the template.', (object) =>
      containersOf(object)
        .map(({ image }) => image ?? '')
        .join(','),
    ),
    text('Pod Labels', 'The labels for the pod template.', ({ template }) =>
      formatLabels(template?.metadata?.labels),
    ),
  ],
  strategy: { warnings },
});
