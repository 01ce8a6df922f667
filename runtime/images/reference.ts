import { invalidArgument } from '../errors.ts';

/** The name of an image in full: where it comes from, and which of what is there. */
export interface ImageReference {
  /** Registry host, with its port when it has one: `docker.io`. */
  registry: string;
  /** Path in the registry: `library/busybox`. */
  path: string;
  tag: string | undefined;
  /** `sha256:<64 hex digits>`. */
  digest: string | undefined;
}

const pathPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const registryPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,}$/;

/**
 * Reads an image name as people write it: `busybox` is `docker.io/library/busybox:latest`. A name with a digest and no tag
 * gets no tag. Grammar: https://github.com/distribution/reference. Throws INVALID_ARGUMENT.
 */
export function parseReference(text: string): ImageReference {
  const { name, tag, digest } = splitReference(text);
  const { registry, path } = splitName(name);
  const good =
    pathPattern.test(path) &&
    registryPattern.test(registry) &&
    path.length <= 255 &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest));
  if (!good)
    throw invalidArgument(
      `failed to parse image reference ${JSON.stringify(text)}: invalid reference format`,
    );
  return { registry, path, digest, tag: tag ?? (digest === undefined ? 'latest' : undefined) };
}

function splitReference(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  if (colon < 0) return { name: named, tag: undefined, digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

// The first part is a registry only when it cannot be a user's name there: it has a dot or a port, or is localhost.
function splitName(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isRegistry = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const registry = isRegistry ? first : 'docker.io';
  const path = isRegistry ? name.slice(slash + 1) : name;
  if (registry !== 'docker.io' && registry !== 'index.docker.io') return { registry, path };
  return { registry: 'docker.io', path: path.includes('/') ? path : `library/${path}` };
}

/** The repository's name: `docker.io/library/busybox`. */
export const repositoryOf = ({ registry, path }: ImageReference): string => `${registry}/${path}`;

/** `docker.io/library/busybox:latest`, or undefined when the reference has only a digest. */
export const taggedName = (reference: ImageReference): string | undefined =>
  reference.tag === undefined ? undefined : `${repositoryOf(reference)}:${reference.tag}`;

/** `docker.io/library/busybox@sha256:…`. */
export const digestName = (reference: ImageReference, digest: string): string =>
  `${repositoryOf(reference)}@${digest}`;

/** The reference in full, as people would write it. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${repositoryOf(reference)}${tag}${digest}`;
}
