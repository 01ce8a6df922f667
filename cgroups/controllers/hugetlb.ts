import type { Controller } from './controller.ts';

/** hugetlb: limits of huge pages by size, such as `2MB`. */
export const hugetlb: Controller = {
  name: 'hugetlb',
  v1: ({ hugepageLimits = [] }) =>
    hugepageLimits.map(({ pageSize, limitBytes }) => [
      `hugetlb.${pageSize}.limit_in_bytes`,
      String(limitBytes),
    ]),
  v2: ({ hugepageLimits = [] }) =>
    hugepageLimits.map(({ pageSize, limitBytes }) => [`hugetlb.${pageSize}.max`, String(limitBytes)]),
};
