import { badRequest, tooLargeResourceVersion } from '../http/errors.ts';
import type { Feed } from '../storage/feed.ts';

const WAIT_MS = 3000;

/** Reads a resourceVersion parameter: undefined when absent. Throws 400 for one that is no number. */
export function parseResourceVersion(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const revision = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(revision)) return revision;
  throw badRequest(
    `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/**
 * Waits until the caches are as new as asked: absent means as new as any acknowledged write, "0" whatever there is.
 * Throws 504 for a version from the future (upstream: storage.NewTooLargeResourceVersionError).
 */
export async function waitForRevision(feed: Feed, text: string | null): Promise<void> {
  const revision = parseResourceVersion(text);
  if (revision === undefined) return feed.fresh();
  if (revision === 0 || (await feed.until(revision, WAIT_MS))) return;
  throw tooLargeResourceVersion(revision, feed.revision);
}
