import type { SeccompProfile } from './seccomp-profile.ts';

export function compileSeccomp(_profile: SeccompProfile): Buffer {
  throw new Error('not yet');
}
