import type { ManagedFieldsEntry } from '../../api/types.ts';
import { statusError } from '../http/errors.ts';
import type { FieldSet } from './field-set.ts';
import { intersection, pathsOf } from './field-set.ts';
import { setOf } from './managed-fields.ts';

/** One manager and the field of it that an apply would change. */
export interface FieldConflict {
  entry: ManagedFieldsEntry;
  field: string;
}

/** The fields of other managers among those that an apply changes. */
export const conflictsOf = (others: ManagedFieldsEntry[], changed: FieldSet | undefined): FieldConflict[] =>
  others.flatMap((entry) => pathsOf(intersection(setOf(entry), changed)).map((field) => ({ entry, field })));

/** 409 in upstream's words (apimachinery managedfields/internal/conflict.go). */
export function applyConflict(conflicts: FieldConflict[]) {
  const causes = conflicts.map(({ entry, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describe(entry)}`,
    field,
  }));
  const count = conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`;
  const message = `Apply failed with ${count}: ${listed(conflicts)}`;
  return statusError({ code: 409, reason: 'Conflict', message, details: { causes } });
}

function describe({ manager, subresource, operation, apiVersion, time }: ManagedFieldsEntry): string {
  const part = subresource ? ` with subresource ${JSON.stringify(subresource)}` : '';
  const using = operation === 'Update' ? ` using ${apiVersion ?? ''}${time ? ` at ${time}` : ''}` : '';
  return `${JSON.stringify(manager ?? '')}${part}${using}`;
}

function listed(conflicts: FieldConflict[]): string {
  const byManager = Map.groupBy(conflicts, ({ entry }) => describe(entry));
  const parts = [...byManager].map(([manager, fields]) =>
    fields.length === 1
      ? `conflict with ${manager}: ${fields[0]?.field ?? ''}`
      : `conflicts with ${manager}:\n${fields.map(({ field }) => `- ${field}`).join('\n')}`,
  );
  return parts.join('\n');
}
