import type { CelLibrary } from './library.ts';
import { evaluationFailure } from './library.ts';

/** An absolute URI or an absolute path, as Go's url.ParseRequestURI reads it. */
class CelUrl {
  readonly text: string;
  readonly url: URL;
  readonly isPath: boolean;

  constructor(text: string) {
    const isPath = text.startsWith('/');
    const url = URL.parse(isPath ? `http://host${text}` : text);
    const hasScheme = isPath || /^[a-z][a-z0-9+.-]*:/i.test(text);
    if (url === null || !hasScheme || /\s/.test(text))
      throw evaluationFailure(
        `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
      );
    this.text = text;
    this.url = url;
    this.isPath = isPath;
  }

  valueOf(): string {
    return this.text;
  }
}

function isUrl(text: string): boolean {
  try {
    new CelUrl(text);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

/** As written: the URL class drops a port that is the scheme's own. */
const hostOf = ({ text, isPath }: CelUrl): string =>
  isPath ? '' : (/^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(text)?.[1] ?? '');

const portOf = (url: CelUrl): string => /:(\d*)$/.exec(hostOf(url))?.[1] ?? '';

const hostnameOf = (url: CelUrl): string =>
  hostOf(url)
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');

function queryOf({ url }: CelUrl): Map<string, string[]> {
  const query = new Map<string, string[]>();
  for (const [name, value] of url.searchParams) query.set(name, [...(query.get(name) ?? []), value]);
  return query;
}

/** Upstream: apiserver pkg/cel/library/urls.go. */
export const urlLibrary: CelLibrary = {
  types: { Url: CelUrl },
  functions: [
    ['isURL(string): bool', isUrl],
    ['url(string): Url', (text: string) => new CelUrl(text)],
    ['Url.getScheme(): string', ({ isPath, url }: CelUrl) => (isPath ? '' : url.protocol.slice(0, -1))],
    ['Url.getHost(): string', hostOf],
    ['Url.getHostname(): string', hostnameOf],
    ['Url.getPort(): string', portOf],
    [
      'Url.getEscapedPath(): string',
      ({ url, text, isPath }: CelUrl) =>
        isPath || text.endsWith('/') || url.pathname !== '/' ? url.pathname : '',
    ],
    ['Url.getQuery(): map<string, list<string>>', queryOf],
  ],
};
