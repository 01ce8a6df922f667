import type { KeyToPath } from '../../types.ts';
import { checkFileMode, checkPresent, checkUnreservedPath } from '../checks.ts';
import type { FieldError } from '../field-error.ts';

/** The keys of a ConfigMap or Secret that become files. */
export function validateItems(items: KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap(({ key, path: file = '', mode }, index) => {
    const at = `${path}.items[${index}]`;
    return [
      ...checkPresent(key, `${at}.key`),
      ...checkPresent(file, `${at}.path`),
      ...checkUnreservedPath(file, `${at}.path`),
      ...checkFileMode(mode, `${at}.mode`),
    ];
  });
}
