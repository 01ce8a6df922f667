import test from 'ava';
import { secretRefOf, snapshotterSecret } from '../../../csi/snapshots/secrets.ts';

const prefix = 'csi.storage.k8s.io/snapshotter-secret';

const refOf = (name?: string, namespace?: string) =>
  secretRefOf({
    secret: snapshotterSecret,
    parameters: {
      other: 'x',
      ...(name === undefined ? {} : { [`${prefix}-name`]: name }),
      ...(namespace === undefined ? {} : { [`${prefix}-namespace`]: namespace }),
    },
    namespaceTokens: { 'volumesnapshotcontent.name': 'content', 'volumesnapshot.namespace': 'team' },
    nameTokens: { 'volumesnapshot.name': 'snap' },
  });

const why = (name?: string, namespace?: string): string => {
  try {
    return JSON.stringify(refOf(name, namespace));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

test('no secret is named', (t) => {
  t.is(refOf(), undefined);
});

test('templates are filled in', (t) => {
  t.deepEqual(refOf('key', 'vault'), { name: 'key', namespace: 'vault' });
  t.deepEqual(
    refOf('${volumesnapshot.name}-of-${volumesnapshotcontent.name}', '${volumesnapshot.namespace}'),
    {
      name: 'snap-of-content',
      namespace: 'team',
    },
  );
});

test('what is no secret is told in upstream’s words', (t) => {
  const both =
    'failed to get name and namespace template from params: either name and namespace for Snapshotter secrets specified, Both must be specified';
  t.is(why('key'), both);
  t.is(why(undefined, 'vault'), both);
  t.is(
    why('', 'vault'),
    'failed to get name and namespace template from params: Snapshotter secrets specified in parameters but value of either namespace or name is empty',
  );
  t.is(
    why('${b}-${a}', 'vault'),
    'error resolving value "${b}-${a}": invalid tokens: ["a" "b"]',
    'sorted, as Go prints them',
  );
  t.is(
    why('key', '${volumesnapshot.name}'),
    'error resolving value "${volumesnapshot.name}": invalid tokens: ["volumesnapshot.name"]',
    'a namespace may not be chosen by the snapshot’s user',
  );
  t.is(why('Key', 'vault'), '"Key" is not a valid secret name');
  t.is(why('key', 'Va_ult'), '"Va_ult" is not a valid namespace name');
  t.is(
    why('-${volumesnapshot.name}', 'vault'),
    '"-${volumesnapshot.name}" resolved to "-snap" which is not a valid secret name',
  );
});
