import test from 'ava';
import {
  configMap,
  CONFIG_MAPS,
  makeDefaultAccount,
  podNamed,
  PODS,
  startTestServer,
} from '../test-server.ts';

const APPLY = 'application/apply-patch+yaml';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

const storageWords = (key: string, asked: string, actual: string) =>
  `StorageError: invalid object, Code: 4, Key: /registry/${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${asked}, UID in object meta: ${actual}`;

test('a PUT meets the object that its uid names, or none', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.post(CONFIG_MAPS, configMap('a'));
  const named = (uid: string) => ({ ...configMap('a', { x: '1' }), metadata: { name: 'a', uid } });
  const other = await server.put(`${CONFIG_MAPS}/a`, named('other'));
  t.is(other.status, 409);
  t.is(
    other.body.message,
    `Operation cannot be fulfilled on configmaps "a": ${storageWords('configmaps/default/a', 'other', body.metadata.uid)}`,
  );
  t.is((await server.put(`${CONFIG_MAPS}/a`, named(body.metadata.uid))).status, 200);
  const absent = await server.put(`${LEASES}/l`, { metadata: { name: 'l', uid: 'other' } });
  t.is(absent.status, 409);
  t.is(
    absent.body.message,
    `Operation cannot be fulfilled on leases.coordination.k8s.io "l": ${storageWords('leases/default/l', 'other', '')}`,
  );
  t.is((await server.get(`${LEASES}/l`)).status, 404);
});

test('an apply meets the object that its uid names, or none', async (t) => {
  const server = await startTestServer(t);
  const apply = (metadata: object) =>
    server.patch(
      `${CONFIG_MAPS}/a?fieldManager=one`,
      { ...configMap('a', { x: '1' }), metadata: { name: 'a', ...metadata } },
      APPLY,
    );
  const absent = await apply({ uid: 'other' });
  t.is(absent.status, 409);
  t.is(
    absent.body.message,
    'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid other, and no existing object was found',
  );
  t.is((await server.get(`${CONFIG_MAPS}/a`)).status, 404);
  const { body } = await server.post(CONFIG_MAPS, configMap('a'));
  const refusal = 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "other": field is immutable';
  const applied = await apply({ uid: 'other' });
  t.deepEqual([applied.status, applied.body.message], [422, refusal]);
  const merged = await server.patch(`${CONFIG_MAPS}/a`, { metadata: { uid: 'other' } });
  t.deepEqual([merged.status, merged.body.message], [422, refusal]);
  t.is((await apply({ uid: body.metadata.uid })).status, 200);
});

test('the revision of an object that is to be made is taken for none', async (t) => {
  const server = await startTestServer(t);
  const metadata = { name: 'a', resourceVersion: '7' };
  const applied = await server.patch(
    `${CONFIG_MAPS}/a?fieldManager=one`,
    { ...configMap('a'), metadata },
    APPLY,
  );
  t.is(applied.status, 201);
  t.not(applied.body.metadata.resourceVersion, '7');
  t.is((await server.put(`${LEASES}/a`, { metadata })).status, 201);
  const dry = await server.put(`${LEASES}/b?dryRun=All`, { metadata: { ...metadata, name: 'b' } });
  t.is(dry.status, 201);
  t.is(dry.body.metadata.resourceVersion, undefined);
  const posted = await server.post(LEASES, { metadata: { ...metadata, name: 'b' } });
  t.is(posted.status, 500);
  t.is(posted.body.message, 'resourceVersion should not be set on objects to be created');
  const dryPost = await server.post(`${LEASES}?dryRun=All`, { metadata: { ...metadata, name: 'b' } });
  t.is(dryPost.status, 201);
  const invalid = await server.post(LEASES, { metadata: { ...metadata, name: 'B' } });
  t.is(invalid.status, 422);
});

test('revision 0 is none', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const metadata = { name: 'l', resourceVersion: '0' };
  await server.put(`${LEASES}/l`, { metadata });
  for (const resourceVersion of ['0', '']) {
    const blind = await server.put(`${LEASES}/l`, { metadata: { ...metadata, resourceVersion } });
    t.is(blind.status, 422);
    t.is(
      blind.body.message,
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
    t.like(blind.body.details, { name: 'l', group: 'coordination.k8s.io', kind: 'leases' });
  }
  await server.post(PODS, podNamed('web'));
  const { body } = await server.get(`${PODS}/web`);
  const put = await server.put(`${PODS}/web`, {
    ...body,
    metadata: { ...body.metadata, resourceVersion: '0', labels: { a: 'b' } },
  });
  t.is(put.status, 200);
});
