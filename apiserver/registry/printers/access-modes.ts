const SHORT_NAMES = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const;

/** "RWO,ROX": each mode once, in a fixed order (upstream: apis/core/helper GetAccessModesAsString). */
export function formatAccessModes(modes: string[] | undefined): string {
  return SHORT_NAMES.filter(([mode]) => modes?.includes(mode) === true)
    .map(([, short]) => short)
    .join(',');
}
