import { definitionOf } from '../../../api/openapi.ts';

/** What the API's documentation says of a field; upstream's tables describe most of their columns with it. */
export const fieldDescription = (definition: string, field: string): string =>
  definitionOf(`io.k8s.api.${definition}`)?.properties?.[field]?.description ?? '';
