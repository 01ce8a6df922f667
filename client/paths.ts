import type { ResourceId } from './objects.ts';

/** The path of a resource, an object or a subresource; names are percent-encoded. */
export const pathOf = ({
  id: { group, version, resource },
  namespace,
  name,
  subresource,
}: {
  id: ResourceId;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}): string => {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const isScoped = namespace !== undefined && namespace !== '';
  const scope = isScoped ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${resource}${object}${subresource === undefined ? '' : `/${subresource}`}`;
};

/** `?a=b&c=d` without the undefined ones; empty when nothing is left. */
export const queryOf = (parameters: Record<string, string | number | boolean | undefined>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.append(name, String(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
};
