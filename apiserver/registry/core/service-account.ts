import type { ServiceAccount } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../printers/columns.ts';

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  namespaced: true,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [nameColumn(), ageColumn()],
  strategy: {},
  subresources: [
    { name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  ],
});
