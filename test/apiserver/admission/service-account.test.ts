import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { AdmissionAttributes } from '../../../apiserver/admission/admission.ts';
import { serviceAccount } from '../../../apiserver/admission/service-account.ts';
import { pod as podKind } from '../../../apiserver/registry/core/pod.ts';
import { serviceAccount as accountKind } from '../../../apiserver/registry/core/service-account.ts';
import { Feed } from '../../../apiserver/storage/feed.ts';
import { Stores } from '../../../apiserver/storage/stores.ts';
import { plainValues } from '../../../apiserver/storage/value-transformer.ts';
import { openEmbeddedStore } from '../../../store/embedded/open.ts';
import { temporaryFolder } from '../../store/temporary-folder.ts';

async function openStores(t: ExecutionContext) {
  const store = openEmbeddedStore({ dir: temporaryFolder(t) });
  const feed = new Feed({ store, onFailure: (error) => t.fail(String(error)) });
  const stores = new Stores({
    kinds: [accountKind],
    store,
    feed,
    plain: plainValues,
    encrypted: plainValues,
  });
  await feed.start();
  t.teardown(async () => {
    feed.stop();
    await store.close();
  });
  return { stores, accounts: stores.of(accountKind) };
}

const podIn = (namespace: string): AdmissionAttributes =>
  ({
    operation: 'CREATE',
    request: { kind: podKind, subresource: undefined, info: { namespace } },
    object: { metadata: { name: 'early' }, spec: { containers: [] } },
  }) as unknown as AdmissionAttributes;

test('a Pod waits for the account that is made for its new namespace', async (t) => {
  const { stores, accounts } = await openStores(t);
  const { cache } = accounts;
  const waits = new Promise<void>((resolve) => {
    const listen = cache.listen.bind(cache);
    cache.listen = (...given) => {
      resolve();
      return listen(...given);
    };
  });
  const attributes = podIn('new');
  // Longer than any test: the account ends the wait, or nothing does.
  const admitted = serviceAccount({ stores, waitMs: 2 ** 30 }).admit?.(attributes);
  await waits;
  await accounts.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'new' },
  });
  await admitted;
  t.like(attributes.object?.['spec'], { serviceAccountName: 'default', serviceAccount: 'default' });
});

test('a Pod does not wait for ever', async (t) => {
  const { stores } = await openStores(t);
  await t.throwsAsync(async () => serviceAccount({ stores, waitMs: 0 }).admit?.(podIn('new')), {
    message:
      'pods "early" is forbidden: error looking up service account new/default: serviceaccount "default" not found',
  });
});
