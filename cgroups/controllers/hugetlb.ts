import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Controller, writeValue } from './controller.ts';

/** Limits of huge pages, by page size (`2MB`): hugetlb.SIZE.limit_in_bytes, or hugetlb.SIZE.max. */
export const hugetlb: Controller = {
  name: 'hugetlb',
  apply(directory, { hugepageLimits = [] }) {
    for (const { pageSize, limitBytes } of hugepageLimits) {
      const file = `hugetlb.${pageSize}.${directory.version === 2 ? 'max' : 'limit_in_bytes'}`;
      if (existsSync(join(directory.path, file))) writeValue(directory, file, limitBytes);
      else directory.warn(`this kernel has no huge pages of ${pageSize}: their limit is not set`);
    }
  },
};
