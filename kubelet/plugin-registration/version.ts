/** A version of the CSI protocol by its numbers, such as [1, 12, 0]. */
export type Version = readonly number[];

/**
 * The highest of the versions that a driver says it speaks and that the kubelet speaks too: 1.x. Throws Error with
 * upstream's words (apimachinery's HighestSupportedVersion).
 */
export const highestSupportedVersion = (versions: readonly string[]): Version => {
  if (versions.length === 0) throw new Error('empty array for supported versions');
  let highest: Version | undefined;
  let problem: Error | undefined;
  for (const text of versions) {
    const version = parseVersion(text);
    if (version === undefined) problem = new Error(`could not parse ${JSON.stringify(text)} as version`);
    else if ((version[0] ?? 0) <= 1 && (highest === undefined || isLess(highest, version))) highest = version;
  }
  if (highest === undefined) {
    throw new Error(
      `could not find a highest supported version from versions ([${versions.join(' ')}]) reported: ${problem?.message ?? '<nil>'}`,
    );
  }
  if (highest[0] !== 1) {
    throw new Error(`highest supported version reported is ${highest.join('.')}, must be v1.x`);
  }
  return highest;
};

/** True when `left` is the older version. */
export const isLess = (left: Version, right: Version): boolean => {
  const length = Math.max(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
};

const parseVersion = (text: string): Version | undefined => {
  const numbers = /^v?((?:0|[1-9]\d*)(?:\.\d+)+)/.exec(text.trim())?.[1];
  return numbers?.split('.').map(Number);
};
