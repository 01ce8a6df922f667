import test from 'ava';
import type { Pod } from '../../../api/types.ts';
import { createTokenManager } from '../../../kubelet/tokens/token-manager.ts';
import { createFakeApi } from '../volumes/fake-api.ts';

const pod: Pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u1' },
  spec: { serviceAccountName: 'robot', containers: [] },
};

/** A manager whose time stands still until `at` is set, in seconds. */
const make = ({ lifeSeconds = 1000, jitter = 0 } = {}) => {
  const api = createFakeApi();
  const time = { at: 0 };
  let issued = 0;
  api.issueToken = () => ({
    spec: { audiences: [], expirationSeconds: lifeSeconds },
    status: {
      token: `t${++issued}`,
      expirationTimestamp: new Date((time.at + lifeSeconds) * 1000).toISOString(),
    },
  });
  const errors: unknown[] = [];
  const tokens = createTokenManager({
    client: api.client,
    clock: { now: () => time.at * 1000, after: () => () => undefined },
    random: () => jitter,
    onError: (error) => errors.push(error),
  });
  const get = async (audience?: string) =>
    (await tokens.getToken({ pod, audience, expirationSeconds: lifeSeconds })).token;
  return { api, time, tokens, errors, get };
};

test('a token is kept until 80 % of its life', async (t) => {
  const { time, get } = make();
  t.is(await get(), 't1');
  time.at = 799;
  t.is(await get(), 't1');
  time.at = 801;
  t.is(await get(), 't2');
});

test('or until it is 24 hours old', async (t) => {
  const { time, get } = make({ lifeSeconds: 7 * 86_400 });
  t.is(await get(), 't1');
  time.at = 86_399;
  t.is(await get(), 't1');
  time.at = 86_401;
  t.is(await get(), 't2');
});

test('jitter asks up to ten seconds earlier', async (t) => {
  const { time, get } = make({ jitter: 1 });
  t.is(await get(), 't1');
  time.at = 789;
  t.is(await get(), 't1');
  time.at = 791;
  t.is(await get(), 't2');
});

test('each audience has a token of its own, and the same one is asked for once', async (t) => {
  const { api, get } = make();
  t.deepEqual(await Promise.all([get('a'), get('a'), get('b')]), ['t1', 't1', 't2']);
  t.deepEqual(
    api.tokenRequests.map(({ spec }) => spec?.audiences),
    [['a'], ['b']],
  );
});

test('a failed renewal leaves the old token, until it ends', async (t) => {
  const { api, time, get, errors } = make();
  await get();
  api.issueToken = () => {
    throw new Error('serviceaccounts "robot" not found');
  };
  time.at = 900;
  t.is(await get(), 't1');
  t.is(errors.length, 1);
  time.at = 1001;
  await t.throwsAsync(get(), {
    message:
      'token ["robot","ns","",1000,"u1"] expired and refresh failed: serviceaccounts "robot" not found',
  });
});

test('the first failure is told', async (t) => {
  const { api, get } = make();
  api.issueToken = () => {
    throw new Error('serviceaccounts "robot" not found');
  };
  await t.throwsAsync(get(), { message: 'failed to fetch token: serviceaccounts "robot" not found' });
});

test('a forgotten Pod’s token is asked for anew', async (t) => {
  const { tokens, get } = make();
  await get();
  tokens.forgetPod('u1');
  t.is(await get(), 't2');
});
