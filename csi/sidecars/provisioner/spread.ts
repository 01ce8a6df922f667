import { Buffer } from 'node:buffer';

/**
 * Which of several places a volume of immediate binding prefers, counted over all of them: the claims of a StatefulSet's members
 * (`CLAIM-SET-0`, `CLAIM-SET-1`, …) go around, and all claims of one member go to the same place, since only the set's name is hashed
 * (k8s.io/kubernetes pkg/volume/util getPVCNameHashAndIndexOffset; the hash is FNV-1 of 32 bits).
 */
export function preferredPlace(claimName: string, places: number): number {
  const { hashed, index } = nameAndIndex(claimName);
  return ((fnv1(hashed) + index) >>> 0) % places;
}

function nameAndIndex(claimName: string): { hashed: string; index: number } {
  const match = /^(.*)-(\d+)$/s.exec(claimName);
  const [, name = '', digits = ''] = match ?? [];
  const index = Number(digits);
  if (match === null || index > 0xffffffff) return { hashed: claimName, index: 0 };
  return { hashed: name.slice(name.lastIndexOf('-') + 1), index };
}

function fnv1(text: string): number {
  let hash = 2_166_136_261;
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 16_777_619) ^ byte) >>> 0;
  return hash;
}
