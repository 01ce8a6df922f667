import anyTest from 'ava';
import type { TestFn } from 'ava';
import { StatusError } from '../../../api/status.ts';
import type { CustomResourceDefinition } from '../../../api/types.ts';
import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import type { Client } from '../../../client/rest.ts';
import { snapshotCrds } from '../../../csi/snapshots/crds/index.ts';
import { installSnapshotCrds } from '../../../csi/snapshots/install-crds.ts';
import {
  volumeGroupSnapshotClasses,
  volumeGroupSnapshotContents,
  volumeGroupSnapshots,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../csi/snapshots/resources.ts';
import { startTestApiServer } from '../../client/api-server.ts';

interface Context {
  client: Client;
  stop: () => Promise<void>;
}
const test = anyTest as TestFn<Context>;

test.before(async (t) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  await installSnapshotCrds({ client });
  t.context = { client, stop: () => server.stop() };
});
test.after.always((t) => t.context.stop());

/** The words of a refusal, without the part that names the object. */
const refusal = async (write: Promise<unknown>): Promise<string> => {
  try {
    await write;
    return 'accepted';
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.reason !== 'Invalid') throw error;
    return (error.status.details?.causes ?? [])
      .map(({ field, message }) => `${field}: ${message}`)
      .join('; ');
  }
};

/** How a rule of this field refuses: between the two stands the value. */
const because = (field: string, message: string): RegExp =>
  new RegExp(`(^|; )${RegExp.escape(field)}: Invalid value: [^;]*${RegExp.escape(message)}`);

const snapshotVersion = 'snapshot.storage.k8s.io/v1';
const groupVersion = 'groupsnapshot.storage.k8s.io/v1';

const snapshotWith = (name: string, spec: object) => ({
  apiVersion: snapshotVersion,
  kind: 'VolumeSnapshot',
  metadata: { name, namespace: 'default' },
  spec,
});

/** Writes what no type allows. */
const createRaw = (client: Client, resource: ResourceId, object: ApiObject) =>
  client.resource(resource as ResourceId<ApiObject>).create({ object });

const merge = (client: Client, resource: ResourceId, name: string, patch: object, namespace?: string) =>
  client.resource(resource).patch({ name, namespace, type: 'merge', patch });

test('a snapshot has one source, which never changes', async (t) => {
  const { client } = t.context;
  const create = (name: string, spec: object) =>
    refusal(createRaw(client, volumeSnapshots, snapshotWith(name, spec)));
  const oneOf = because(
    'spec.source',
    'exactly one of volumeSnapshotContentName and persistentVolumeClaimName must be set',
  );
  t.regex(await create('none', { source: {} }), oneOf);
  t.regex(
    await create('both', { source: { persistentVolumeClaimName: 'a', volumeSnapshotContentName: 'b' } }),
    oneOf,
  );
  t.regex(
    await create('empty', { source: { persistentVolumeClaimName: 'a' }, volumeSnapshotClassName: '' }),
    because('spec.volumeSnapshotClassName', 'volumeSnapshotClassName must not be the empty string when set'),
  );
  t.is(await create('good', { source: { persistentVolumeClaimName: 'a' } }), 'accepted');
  const change = (source: object) =>
    refusal(merge(client, volumeSnapshots, 'good', { spec: { source } }, 'default'));
  t.regex(
    await change({ persistentVolumeClaimName: 'b' }),
    because('spec.source.persistentVolumeClaimName', 'persistentVolumeClaimName is immutable'),
  );
  t.regex(
    await change({ persistentVolumeClaimName: null, volumeSnapshotContentName: 'b' }),
    /persistentVolumeClaimName is required once set/,
  );
});

test('a content names its snapshot wholly and keeps its source', async (t) => {
  const { client } = t.context;
  const content = (name: string, spec: object) => ({
    apiVersion: snapshotVersion,
    kind: 'VolumeSnapshotContent',
    metadata: { name },
    spec: { deletionPolicy: 'Delete', driver: 'd', source: { snapshotHandle: 'h' }, ...spec },
  });
  const create = (name: string, spec: object) =>
    refusal(createRaw(client, volumeSnapshotContents, content(name, spec)));
  const ref = { name: 's', namespace: 'default' };
  t.regex(
    await create('half', { volumeSnapshotRef: { name: 's' } }),
    because(
      'spec.volumeSnapshotRef',
      'both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set',
    ),
  );
  t.regex(
    await create('policy', { volumeSnapshotRef: ref, deletionPolicy: 'Recycle' }),
    /Unsupported value: "Recycle"/,
  );
  t.is(await create('good', { volumeSnapshotRef: ref, sourceVolumeMode: 'Block' }), 'accepted');
  const change = (spec: object) => refusal(merge(client, volumeSnapshotContents, 'good', { spec }));
  t.regex(
    await change({ source: { snapshotHandle: 'other' } }),
    because('spec.source.snapshotHandle', 'snapshotHandle is immutable'),
  );
  t.regex(await change({ sourceVolumeMode: null }), /sourceVolumeMode is required once set/);
  t.is(await change({ deletionPolicy: 'Retain' }), 'accepted');
  t.is(await change({ volumeSnapshotRef: { uid: 'u' } }), 'accepted');
});

test('group snapshots are held to their rules', async (t) => {
  const { client } = t.context;
  const group = (name: string, source: object) => ({
    apiVersion: groupVersion,
    kind: 'VolumeGroupSnapshot',
    metadata: { name, namespace: 'default' },
    spec: { source },
  });
  t.regex(
    await refusal(createRaw(client, volumeGroupSnapshots, group('none', {}))),
    because('spec.source', 'exactly one of selector and volumeGroupSnapshotContentName must be set'),
  );
  const source = { selector: { matchLabels: { app: 'a' } } };
  t.is(await refusal(createRaw(client, volumeGroupSnapshots, group('good', source))), 'accepted');
  const other = { spec: { source: { selector: { matchLabels: { app: 'b' } } } } };
  t.regex(
    await refusal(merge(client, volumeGroupSnapshots, 'good', other, 'default')),
    because('spec.source.selector', 'selector is immutable'),
  );
  const groupClass = {
    apiVersion: groupVersion,
    kind: 'VolumeGroupSnapshotClass',
    metadata: { name: 'c' },
    deletionPolicy: 'Delete',
    driver: 'd',
  };
  await createRaw(client, volumeGroupSnapshotClasses, groupClass);
  t.regex(
    await refusal(merge(client, volumeGroupSnapshotClasses, 'c', { deletionPolicy: 'Retain' })),
    because('deletionPolicy', 'deletionPolicy is immutable once set'),
  );
  const groupContent = {
    apiVersion: groupVersion,
    kind: 'VolumeGroupSnapshotContent',
    metadata: { name: 'c' },
    spec: {
      deletionPolicy: 'Delete',
      driver: 'd',
      source: { volumeHandles: ['v'] },
      volumeGroupSnapshotRef: { name: 'g', namespace: 'default', uid: 'u' },
    },
  };
  await createRaw(client, volumeGroupSnapshotContents, groupContent);
  const change = (spec: object) => refusal(merge(client, volumeGroupSnapshotContents, 'c', { spec }));
  t.regex(
    await change({ source: { volumeHandles: ['v', 'w'] } }),
    because('spec.source.volumeHandles', 'volumeHandles is immutable'),
  );
  t.regex(
    await change({ volumeGroupSnapshotRef: { uid: 'w' } }),
    /volumeGroupSnapshotRef\.uid is immutable once set/,
  );
});

test('a table of snapshots shows what upstream’s shows', async (t) => {
  const { client } = t.context;
  const path = (resource: ResourceId) => `/apis/${resource.group}/${resource.version}/${resource.resource}`;
  const columns = async (resource: ResourceId) => {
    const headers = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' };
    const request = { method: 'GET', path: path(resource), headers };
    const { columnDefinitions } = await client.request<{ columnDefinitions: { name: string }[] }>(request);
    return columnDefinitions.map(({ name }) => name).join(' ');
  };
  t.is(
    await columns(volumeSnapshots),
    'Name ReadyToUse SourcePVC SourceSnapshotContent RestoreSize SnapshotClass SnapshotContent CreationTime Age',
  );
  t.is(
    await columns(volumeSnapshotContents),
    'Name ReadyToUse RestoreSize DeletionPolicy Driver VolumeSnapshotClass VolumeSnapshot VolumeSnapshotNamespace Age',
  );
  t.is(await columns(volumeSnapshotClasses), 'Name Driver DeletionPolicy Age');
  t.is(
    await columns(volumeGroupSnapshots),
    'Name ReadyToUse VolumeGroupSnapshotClass VolumeGroupSnapshotContent CreationTime Age',
  );
});

test('a spec is written without the status, and the status without the spec', async (t) => {
  const { client } = t.context;
  const object = {
    ...snapshotWith('split', { source: { persistentVolumeClaimName: 'a' } }),
    status: { readyToUse: true },
  };
  await createRaw(client, volumeSnapshots, object);
  const get = () => client.resource(volumeSnapshots).get({ name: 'split', namespace: 'default' });
  t.is((await get()).status, undefined);
  await client.resource(volumeSnapshots).patch({
    name: 'split',
    namespace: 'default',
    subresource: 'status',
    type: 'merge',
    patch: { status: { readyToUse: true, restoreSize: '1Gi' }, spec: { volumeSnapshotClassName: 'x' } },
  });
  const { spec, status } = await get();
  t.deepEqual(status, { readyToUse: true, restoreSize: '1Gi' });
  t.is(spec.volumeSnapshotClassName, undefined);
});

test('group snapshots are served in all their versions', async (t) => {
  const { client } = t.context;
  const { versions } = await client.request<{ versions: { version: string }[] }>({
    method: 'GET',
    path: '/apis/groupsnapshot.storage.k8s.io',
  });
  t.deepEqual(
    versions.map(({ version }) => version),
    ['v1', 'v1beta2', 'v1beta1'],
  );
});

test('definitions that are there already stay as they are', async (t) => {
  const { client } = t.context;
  const definitions: ResourceId<CustomResourceDefinition> = {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    resource: 'customresourcedefinitions',
  };
  const [first] = snapshotCrds;
  const name = first?.metadata?.name ?? '';
  const patch = { metadata: { annotations: { 'example.com/owner': 'administrator' } } };
  await client.resource(definitions).patch({ name, type: 'merge', patch });
  await installSnapshotCrds({ client });
  const { metadata } = await client.resource(definitions).get({ name });
  t.is(metadata?.annotations?.['example.com/owner'], 'administrator');
});

test('every field is described', (t) => {
  const undescribed: string[] = [];
  const visit = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return;
    const { properties, description } = value as {
      properties?: Record<string, object>;
      description?: string;
    };
    if (description === undefined && !path.endsWith('.metadata')) undescribed.push(path);
    for (const [name, property] of Object.entries(properties ?? {})) visit(property, `${path}.${name}`);
  };
  for (const { spec } of snapshotCrds)
    for (const { name, schema } of spec.versions)
      visit(schema?.openAPIV3Schema, `${spec.names.kind}/${name}`);
  t.deepEqual(undescribed, []);
});
