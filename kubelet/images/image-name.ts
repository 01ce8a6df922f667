const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const reference = new RegExp(
  `^((?:${domain}/)?${component}(?:/${component})*)(?::(\\w[\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);

/** The image with its tag; `latest` when it has neither tag nor digest. Throws in the words of distribution/reference. */
export function withDefaultTag(image: string): string {
  const match = reference.exec(image);
  if (!match) throw new Error(`couldn't parse image name "${image}": ${whyInvalid(image)}`);
  const [, , tag, digest] = match;
  return tag || digest ? image : `${image}:latest`;
}

function whyInvalid(image: string): string {
  if (image === '') return 'invalid reference format: repository name must have at least one component';
  const name = image.replace(/(?::[\w.-]*)?(?:@.*)?$/, '');
  if (reference.test(name.toLowerCase()) && name !== name.toLowerCase()) {
    return `invalid reference format: repository name (${familiar(name)}) must be lowercase`;
  }
  return 'invalid reference format';
}

const familiar = (name: string): string => (name.includes('/') ? name : `library/${name}`);

/** The registry that an image comes from; Docker's without a host in the name. */
export function registryOf(image: string): string {
  const [first = ''] = image.split('/');
  const isHost = image.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return isHost ? first : 'docker.io';
}
