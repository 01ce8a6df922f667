import test from 'ava';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import { storeSuite } from './suite.ts';
import { temporaryFolder } from './temporary-folder.ts';

storeSuite(test, 'embedded', async (t) => {
  const dir = temporaryFolder(t);
  let store = openEmbeddedStore({ dir });
  t.teardown(() => store.close());
  return {
    store,
    reopen: async () => {
      await store.close();
      store = openEmbeddedStore({ dir });
      return store;
    },
  };
});
