import test from 'ava';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from './test-server.ts';

test('a Pod gets defaults, phase, QoS class, account, tolerations and priority', async (t) => {
  const server = await startTestServer(t);
  const refused = await server.post(PODS, podNamed('web'));
  t.is(refused.status, 403);
  t.is(
    refused.body.message,
    'pods "web" is forbidden: error looking up service account default/default: serviceaccount "default" not found',
  );
  await makeDefaultAccount(server);
  const { body: pod } = await server.post(PODS, podNamed('web', { automountServiceAccountToken: true }));
  t.like(pod.status, { phase: 'Pending', qosClass: 'BestEffort' });
  t.like(pod.spec, {
    restartPolicy: 'Always',
    serviceAccountName: 'default',
    priority: 0,
    schedulerName: 'default-scheduler',
  });
  t.is(pod.spec.tolerations.length, 2);
  t.regex(pod.spec.volumes[0].name, /^kube-api-access-/);
  t.is(pod.spec.containers[0].volumeMounts[0].mountPath, '/var/run/secrets/kubernetes.io/serviceaccount');
  t.is(pod.metadata.generation, 1);
});

test("resources of the Pod as a whole decide its QoS class before the containers'", async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const all = { cpu: '100m', memory: '100Mi' };
  const half = { cpu: '50m', memory: '50Mi' };
  const guaranteed = podNamed('guaranteed', { resources: { requests: all, limits: all } });
  t.is((await server.post(PODS, guaranteed)).body.status.qosClass, 'Guaranteed');
  const containers = [{ name: 'main', image: 'busybox', resources: { requests: half, limits: half } }];
  const burstable = podNamed('burstable', { resources: { requests: half, limits: all }, containers });
  t.is((await server.post(PODS, burstable)).body.status.qosClass, 'Burstable');
});

test('a spec that may not change is refused, status and spec are written apart', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web'));
  const changed = await server.patch(`${PODS}/web`, { spec: { hostNetwork: true } });
  t.is(changed.status, 422);
  t.regex(changed.body.message, /pod updates may not change fields other than/);
  const image = await server.patch(
    `${PODS}/web`,
    { spec: { containers: [{ name: 'main', image: 'busybox:2' }] }, status: { phase: 'Failed' } },
    'application/strategic-merge-patch+json',
  );
  t.is(image.body.spec.containers[0].image, 'busybox:2');
  t.is(image.body.status.phase, 'Pending');
  t.is(image.body.metadata.generation, 2);
  const status = await server.patch(`${PODS}/web/status`, {
    spec: { nodeName: 'x' },
    status: { phase: 'Running' },
  });
  t.is(status.body.status.phase, 'Running');
  t.false('nodeName' in status.body.spec);
  t.is(status.body.metadata.generation, 2);
});

test('labels that a selector names by their keys go into the selector', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const term = (fields: object) => ({ topologyKey: 'zone', labelSelector: {}, ...fields });
  const podWith = (terms: object[]) => ({
    ...podNamed('web', {
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: term({ mismatchLabelKeys: ['app', 'none'] }) },
          ],
        },
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'zone',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { app: 'a' } },
          matchLabelKeys: ['hash'],
        },
      ],
    }),
    metadata: { name: 'web', labels: { app: 'a', hash: 'h' } },
  });
  const wrong = await server.post(
    PODS,
    podWith([
      term({ matchLabelKeys: ['app'], mismatchLabelKeys: ['app'] }),
      { topologyKey: 'zone', matchLabelKeys: ['app'] },
      term({ labelSelector: { matchLabels: { app: 'b' } }, matchLabelKeys: ['hash', 'app'] }),
    ]),
  );
  const causes = wrong.body.details.causes as { field: string; message: string }[];
  const path = 'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution';
  t.deepEqual(
    causes.map(({ field, message }) => `${field}: ${message}`),
    [
      `${path}[0][0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector`,
      `${path}[0].matchLabelKeys[0]: Invalid value: "app": exists in both matchLabelKeys and mismatchLabelKeys`,
      `${path}[1].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`,
      `${path}[2][1]: Invalid value: "app": exists in both matchLabelKeys and labelSelector`,
    ],
  );
  const { body } = await server.post(PODS, podWith([term({ matchLabelKeys: ['app'] })]));
  const { podAffinity, podAntiAffinity } = body.spec.affinity;
  const [app, hash] = [
    { key: 'app', operator: 'In', values: ['a'] },
    { key: 'hash', operator: 'In', values: ['h'] },
  ];
  t.deepEqual(podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector, {
    matchExpressions: [app],
  });
  t.deepEqual(
    podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector,
    { matchExpressions: [{ ...app, operator: 'NotIn' }] },
  );
  t.deepEqual(body.spec.topologySpreadConstraints[0].labelSelector, {
    matchLabels: { app: 'a' },
    matchExpressions: [hash],
  });
  t.is((await server.patch(`${PODS}/web`, { metadata: { labels: { x: 'y' } } })).status, 200);
});

test('an AppArmor profile in an annotation becomes a field', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const prefix = 'container.apparmor.security.beta.kubernetes.io/';
  const podWith = (annotations: object, spec: object = {}) => ({
    ...podNamed('web', spec),
    metadata: { name: 'web', annotations },
  });
  const refused = async (annotations: object, spec: object = {}) => {
    const { body } = await server.post(PODS, podWith(annotations, spec));
    return (body.details.causes as { field: string; message: string }[]).map(
      ({ field, message }) => `${field}: ${message}`,
    );
  };
  t.deepEqual(await refused({ [`${prefix}main`]: 'odd', [`${prefix}other`]: 'unconfined' }), [
    `metadata.annotations[${prefix}main]: Invalid value: "odd": invalid AppArmor profile name: "odd"`,
    `metadata.annotations[${prefix}other]: Invalid value: "other": container not found`,
  ]);
  const ofPod = { securityContext: { appArmorProfile: { type: 'Unconfined' } } };
  const main = (securityContext: object) => ({
    containers: [{ name: 'main', image: 'busybox', securityContext }],
  });
  t.deepEqual(
    await refused(
      { [`${prefix}main`]: 'localhost/a' },
      main({ appArmorProfile: { type: 'Localhost', localhostProfile: 'b' } }),
    ),
    [
      'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Forbidden: apparmor profile in annotation and field must match',
    ],
  );
  const made = await server.post(PODS, podWith({ [`${prefix}main`]: 'localhost/a' }, ofPod));
  t.deepEqual(made.body.spec.containers[0].securityContext, {
    appArmorProfile: { type: 'Localhost', localhostProfile: 'a' },
  });
  const deprecated = `299 - "metadata.annotations[${prefix}main]: deprecated since v1.30; use the \\"appArmorProfile\\" field instead"`;
  t.is(made.headers.warning, deprecated);
  const changed = await server.patch(`${PODS}/web`, {
    metadata: { annotations: { [`${prefix}main`]: null } },
  });
  t.is(changed.body.details.causes[0].message, 'Forbidden: may not remove or update AppArmor annotations');
  await server.remove(`${PODS}/web`);
  const same = await server.post(PODS, podWith({ [`${prefix}main`]: 'unconfined' }, ofPod));
  t.is(same.body.spec.containers[0].securityContext, undefined);
  t.is(same.headers.warning, undefined);
});

test('a seccomp profile in an annotation is well-formed and fits the field', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const ofPod = 'seccomp.security.alpha.kubernetes.io/pod';
  const ofMain = 'container.seccomp.security.alpha.kubernetes.io/main';
  const pod = (annotations: object) => ({
    ...podNamed('web', { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }),
    metadata: { name: 'web', annotations },
  });
  const refused = await server.post(PODS, pod({ [ofPod]: 'unconfined', [ofMain]: 'localhost/../a' }));
  const causes = refused.body.details.causes as { field: string; message: string }[];
  t.deepEqual(
    causes.map(({ field, message }) => `${field}: ${message}`),
    [
      `metadata.annotations.${ofMain}: Invalid value: "../a": must not contain '..'`,
      'spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match',
    ],
  );
  const made = await server.post(PODS, pod({ [ofPod]: 'docker/default' }));
  t.is(made.status, 201);
});

test('a status keeps its QoS class, and which generation it was found of', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web'));
  const condition = (type: string, observedGeneration?: number) => ({
    type,
    status: 'True',
    ...(observedGeneration !== undefined && { observedGeneration }),
  });
  const { body: first } = await server.patch(`${PODS}/web/status`, {
    status: { observedGeneration: 1, conditions: [condition('a', 1), condition('b', 2)] },
  });
  const { body: kept } = await server.put(`${PODS}/web/status`, {
    ...first,
    status: { phase: 'Running', conditions: [condition('b'), condition('a', 3), condition('c')] },
  });
  t.like(kept.status, { phase: 'Running', qosClass: 'BestEffort', observedGeneration: 1 });
  t.deepEqual(
    (kept.status.conditions as { observedGeneration?: number }[]).map((each) => each.observedGeneration),
    [2, 3, undefined],
  );
  const wrong = await server.patch(`${PODS}/web/status`, { status: { qosClass: 'Guaranteed' } });
  t.is(wrong.status, 422);
  t.is(wrong.body.details.causes[0].field, 'status.qosClass');
});

test('binding assigns a node once', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web'));
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'web' },
    target: { kind: 'Node', name: 'node-1' },
  };
  const hinted = await server.patch(`${PODS}/web/status`, { status: { nominatedNodeName: 'node-2' } });
  t.is(hinted.body.status.nominatedNodeName, 'node-2');
  const { uid } = hinted.body.metadata;
  const stale = await server.post(`${PODS}/web/binding`, {
    ...binding,
    metadata: { name: 'web', uid, resourceVersion: '1' },
  });
  t.is(stale.status, 409);
  t.is(
    stale.body.message,
    `Operation cannot be fulfilled on pods "web": StorageError: invalid object, Code: 4, Key: /registry/pods/default/web, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: ${hinted.body.metadata.resourceVersion}`,
  );
  t.is((await server.post(`${PODS}/web/binding`, binding)).status, 201);
  const { body } = await server.get(`${PODS}/web`);
  t.is(body.spec.nodeName, 'node-1');
  t.is(body.status.nominatedNodeName, undefined);
  t.like(body.status.conditions[0], { type: 'PodScheduled', status: 'True' });
  const again = await server.post(`${PODS}/web/binding`, binding);
  t.is(again.status, 409);
  t.regex(again.body.message, /pod web is already assigned to node "node-1"$/);
  t.is((await server.post(`${PODS}/other/binding`, { ...binding, metadata: { name: 'other' } })).status, 404);
});

test('a binding to what is no node is refused', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web'));
  const bind = async (target?: object) => {
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'web' }, target };
    const { status, body } = await server.post(`${PODS}/web/binding`, binding);
    return [status, body.message];
  };
  const invalid = 'Binding "web" is invalid:';
  const noName = `${invalid} target.name: Required value`;
  t.deepEqual(await bind(), [422, noName]);
  t.deepEqual(await bind({ kind: 'Node' }), [422, noName]);
  t.deepEqual(await bind({ kind: 'Pod', name: 'node-1' }), [
    422,
    `${invalid} target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"`,
  ]);
  t.is((await server.get(`${PODS}/web`)).body.spec.nodeName, undefined);
});

test('a running Pod is deleted gracefully, the period only gets shorter', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('idle'));
  t.is((await server.remove(`${PODS}/idle`)).status, 200);
  t.is((await server.get(`${PODS}/idle`)).status, 404);
  await server.post(PODS, podNamed('busy', { nodeName: 'node-1', terminationGracePeriodSeconds: 40 }));
  const first = await server.remove(`${PODS}/busy`);
  t.is(first.body.metadata.deletionGracePeriodSeconds, 40);
  const longer = await server.remove(`${PODS}/busy?gracePeriodSeconds=60`);
  t.is(longer.body.metadata.deletionGracePeriodSeconds, 40);
  const shorter = await server.remove(`${PODS}/busy?gracePeriodSeconds=5`);
  t.is(shorter.body.metadata.deletionGracePeriodSeconds, 5);
  t.is(
    Date.parse(first.body.metadata.deletionTimestamp) - Date.parse(shorter.body.metadata.deletionTimestamp),
    35_000,
  );
  const least = await server.remove(`${PODS}/busy?gracePeriodSeconds=-3`);
  t.is(least.body.metadata.deletionGracePeriodSeconds, 1);
  t.is((await server.remove(`${PODS}/busy?gracePeriodSeconds=0`)).body.kind, 'Pod');
  t.is((await server.get(`${PODS}/busy`)).status, 404);
});

test('whoever watches sees of a Pod that goes at once that it is being deleted', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const made = await server.post(PODS, podNamed('busy', { nodeName: 'node-1' }));
  const { generation, resourceVersion } = made.body.metadata;
  const dry = await server.remove(`${PODS}/busy?gracePeriodSeconds=0&dryRun=All`);
  t.is(dry.body.metadata.deletionGracePeriodSeconds, 0);
  const gone = await server.remove(`${PODS}/busy?gracePeriodSeconds=0`);
  t.is(gone.body.metadata.deletionGracePeriodSeconds, 0);
  const watch = await server.watch(`${PODS}?watch=true&resourceVersion=${resourceVersion as string}`);
  for (const type of ['MODIFIED', 'DELETED']) {
    const event = await watch.next();
    t.like(event, {
      type,
      object: { metadata: { deletionGracePeriodSeconds: 0, generation: generation + 1 } },
    });
    t.truthy(event?.object.metadata.deletionTimestamp);
  }
  watch.end();
});

test('a grace period beyond all dates is a period', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('busy', { nodeName: 'node-1' }));
  const first = await server.remove(`${PODS}/busy?gracePeriodSeconds=10000000000000`);
  t.is(first.status, 200, first.text);
  t.is(first.body.metadata.deletionGracePeriodSeconds, 10_000_000_000_000);
  t.regex(first.body.metadata.deletionTimestamp, /^\d{4}-/);
  const shorter = await server.remove(`${PODS}/busy?gracePeriodSeconds=5`);
  t.is(shorter.status, 200, shorter.text);
  t.true(Math.abs(Date.parse(shorter.body.metadata.deletionTimestamp) - Date.now()) < 3_600_000);
});

test('eviction deletes, ephemeral containers are added', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web', { nodeName: 'node-1' }));
  const debug = await server.patch(
    `${PODS}/web/ephemeralcontainers`,
    {
      spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox', terminationMessagePolicy: 'File' }] },
    },
    'application/strategic-merge-patch+json',
  );
  t.is(debug.status, 200);
  t.is(debug.body.spec.ephemeralContainers[0].name, 'debug');
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web' } };
  const seen = (await server.get(`${PODS}/web`)).body.metadata.resourceVersion as string;
  const withPrecondition = (resourceVersion: string) => ({
    ...eviction,
    deleteOptions: { preconditions: { resourceVersion } },
  });
  t.is((await server.post(`${PODS}/web/eviction?dryRun=All`, eviction)).status, 201);
  const stale = await server.post(`${PODS}/web/eviction`, withPrecondition('1'));
  t.is(stale.status, 409);
  t.is(
    stale.body.message,
    `Operation cannot be fulfilled on Pod "web": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${seen}). The object might have been modified`,
  );
  t.is((await server.get(`${PODS}/web`)).body.metadata.resourceVersion, seen);
  t.is((await server.post(`${PODS}/web/eviction`, withPrecondition(seen))).status, 201);
  const { body } = await server.get(`${PODS}/web`);
  t.truthy(body.metadata.deletionTimestamp);
  t.like(body.status.conditions.at(-1), {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  });
  t.is((await server.post(`${PODS}/gone/eviction`, { ...eviction, metadata: { name: 'gone' } })).status, 404);
});

test('debug containers and resources are all that their paths change, and no container goes by them', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web', { nodeName: 'node-1' }));
  const before = (await server.get(`${PODS}/web`)).body.metadata;
  const metadata = {
    labels: { mine: 'yes' },
    annotations: { mine: 'yes' },
    finalizers: ['example.test/mine'],
  };
  const ephemeralContainers = [{ name: 'debug', image: 'busybox', terminationMessagePolicy: 'File' }];
  const debug = await server.patch(`${PODS}/web/ephemeralcontainers`, {
    metadata,
    spec: { ephemeralContainers },
  });
  const { name } = debug.body.spec.containers[0];
  const resize = await server.patch(
    `${PODS}/web/resize`,
    {
      metadata,
      spec: { containers: [{ name, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }] },
    },
    'application/strategic-merge-patch+json',
  );
  for (const { status, text, body } of [debug, resize]) {
    t.is(status, 200, text);
    for (const field of Object.keys(metadata)) t.deepEqual(body.metadata[field], before[field], field);
  }
  for (const wanted of [[], null]) {
    const gone = await server.patch(`${PODS}/web/ephemeralcontainers`, {
      spec: { ephemeralContainers: wanted },
    });
    t.is(gone.status, 422, gone.text);
    t.regex(gone.body.message, /existing ephemeral containers "debug" may not be removed/);
  }
  const added = await server.patch(
    `${PODS}/web/resize`,
    { spec: { containers: [{ name: 'more', image: 'busybox' }] } },
    'application/strategic-merge-patch+json',
  );
  t.is(added.status, 422, added.text);
  t.regex(added.body.message, /containers may not be added or removed on resize/);
});

test("a status's path leaves the owners alone", async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web'));
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'u' }];
  const written = await server.patch(`${PODS}/web/status`, {
    metadata: { ownerReferences },
    status: { phase: 'Running' },
  });
  t.is(written.body.status.phase, 'Running');
  t.is(written.body.metadata.ownerReferences, undefined);
  await server.patch(`${PODS}/web`, { metadata: { ownerReferences } });
  const cleared = await server.patch(`${PODS}/web/status`, { metadata: { ownerReferences: null } });
  t.is(cleared.body.metadata.ownerReferences.length, 1);
});

test('a namespace ends in two steps, and nothing is made in one that is ending', async (t) => {
  const server = await startTestServer(t);
  await server.post('/api/v1/namespaces', { metadata: { name: 'team' } });
  const missing = await server.post('/api/v1/namespaces/nowhere/configmaps', { metadata: { name: 'a' } });
  t.is(missing.body.message, 'namespaces "nowhere" not found');
  const ending = await server.remove('/api/v1/namespaces/team');
  t.is(ending.body.status.phase, 'Terminating');
  const refused = await server.post('/api/v1/namespaces/team/configmaps', { metadata: { name: 'a' } });
  t.is(refused.status, 403);
  t.is(
    refused.body.message,
    'configmaps "a" is forbidden: unable to create new content in namespace team because it is being terminated',
  );
  t.is(refused.body.details.causes[0].reason, 'NamespaceTerminating');
  t.is((await server.remove('/api/v1/namespaces/team')).status, 409);
  const { body } = await server.get('/api/v1/namespaces/team');
  const finalized = await server.put('/api/v1/namespaces/team/finalize', {
    ...body,
    spec: { finalizers: [] },
  });
  t.is(finalized.status, 200);
  const last = await server.remove('/api/v1/namespaces/team');
  t.true([200, 404].includes(last.status));
  t.is((await server.get('/api/v1/namespaces/team')).status, 404);
  t.is((await server.remove('/api/v1/namespaces/kube-system')).status, 403);
});

test('who makes a Pod is warned of what does nothing in it; who changes it is not', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const made = await server.post(PODS, podNamed('a', { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } }));
  t.is(made.status, 201);
  t.is(
    made.headers.warning,
    '299 - "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \\"kubernetes.io/os\\" instead"',
  );
  const changed = await server.patch(`${PODS}/a`, { metadata: { labels: { x: 'y' } } });
  t.is(changed.status, 200);
  t.is(changed.headers.warning, undefined);
  const reported = await server.patch(`${PODS}/a/status`, { status: { podIPs: [{ ip: 'fd00:0::1' }] } });
  t.is(reported.status, 200);
  t.is(
    reported.headers.warning,
    '299 - "status.podIPs[0].ip: IPv6 address \\"fd00:0::1\\" should be in RFC 5952 canonical format (\\"fd00::1\\")"',
  );
});
