import { CloudError } from './errors.ts';
import type { Page, PageQuery } from './types.ts';

interface Listed {
  id: string;
  createdAt: string;
}

/**
 * One page in the order of making. The token says after which item to go on, so that a page that was cut before others
 * were made or deleted goes on at the right place. Throws INVALID_TOKEN.
 */
export function pageOf<Item extends Listed>(items: Item[], { limit = 0, token = '' }: PageQuery): Page<Item> {
  const after = token === '' ? '' : decode(token);
  const rest = items
    .toSorted((one, other) => (positionOf(one) < positionOf(other) ? -1 : 1))
    .filter((item) => positionOf(item) > after);
  const page = limit > 0 ? rest.slice(0, limit) : rest;
  const last = page.at(-1);
  return page.length < rest.length && last !== undefined
    ? { items: page, next: Buffer.from(positionOf(last)).toString('base64url') }
    : { items: page };
}

const positionOf = ({ id, createdAt }: Listed): string => `${createdAt} ${id}`;

function decode(token: string): string {
  const position = Buffer.from(token, 'base64url').toString();
  if (/^\d{4}-\d\d-\d\dT\S+ \S+$/.test(position)) return position;
  throw new CloudError('INVALID_TOKEN', `token '${token}' was not given by a list`);
}
