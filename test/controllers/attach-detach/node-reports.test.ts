import test from 'ava';
import type { Node } from '../../../api/types.ts';
import type { Client } from '../../../client/rest.ts';
import type { Lister } from '../../../client/store.ts';
import { NodeReports } from '../../../controllers/attach-detach/node-reports.ts';

/** A server that may do a write and still fail it, and a watch that hasn't told of anything yet. */
const start = ({ breaks = false } = {}) => {
  const server = { attached: [] as string[], breaks };
  const patch = ({
    patch: { status },
  }: {
    patch: { status: { volumesAttached: { name: string }[] | null } };
  }) => {
    server.attached = (status.volumesAttached ?? []).map(({ name }) => name);
    return server.breaks ? Promise.reject(new Error('connection reset')) : Promise.resolve({});
  };
  const client = { resource: () => ({ patch }) } as unknown as Client;
  const node: Node = { metadata: { name: 'n1' } };
  const nodes = { getByKey: () => node } as unknown as Lister<Node>;
  return { server, reports: new NodeReports({ client, nodes }) };
};

test('a write that failed may have been done: the next is not left out, whatever was last seen', async (t) => {
  const { server, reports } = start({ breaks: true });
  await t.throwsAsync(reports.add('n1', 'x'), { message: 'connection reset' });
  t.deepEqual(server.attached, ['x']);
  server.breaks = false;
  await reports.remove('n1', 'x');
  t.deepEqual(server.attached, []);
});

test('a removal that joins a repetition is written, whatever was last seen', async (t) => {
  const { server, reports } = start();
  await reports.add('n1', 'x');
  t.deepEqual(server.attached, ['x']);
  await Promise.all([reports.repeat('n1'), reports.remove('n1', 'x')]);
  t.deepEqual(server.attached, []);
});
