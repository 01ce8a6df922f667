/** `apps/v1` → group `apps`, version `v1`; `v1` → the core group `''`. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const maxGeneratedBase = 58;

/** A name from `generateName`: the base, cut to 58 characters, and five random ones that spell no words. */
export function generatedName(base: string, random: () => number = Math.random): string {
  const suffix = Array.from(
    { length: 5 },
    () => suffixAlphabet[Math.floor(random() * suffixAlphabet.length)],
  );
  return base.slice(0, maxGeneratedBase) + suffix.join('');
}
