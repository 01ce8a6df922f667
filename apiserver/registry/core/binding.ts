import type { Kind } from '../kind.ts';

/** The old path of pods/binding: POST /api/v1/namespaces/NS/bindings. Never stored. */
export const binding: Kind = {
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  singular: 'binding',
  namespaced: true,
  verbs: ['create'],
  strategy: {},
};
