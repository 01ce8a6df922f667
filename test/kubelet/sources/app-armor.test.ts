import test from 'ava';
import type { AppArmorProfile } from '../../../api/types.ts';
import { unenforceableAppArmor } from '../../../kubelet/sources/app-armor.ts';
import { podOf } from '../pod-builder.ts';

const podWith = (appArmorProfile: AppArmorProfile) =>
  podOf({ containers: [{ name: 'main', securityContext: { appArmorProfile } }] });

test('a Pod that wants to be confined does not run where it would not be', (t) => {
  const pods = {
    default: podWith({ type: 'RuntimeDefault' }),
    unconfined: podWith({ type: 'Unconfined' }),
    local: podWith({ type: 'Localhost', localhostProfile: 'fine' }),
    whole: podOf({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
  };
  const without = {
    reason: 'AppArmor',
    message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  };
  t.deepEqual(
    unenforceableAppArmor(pods.default, () => false),
    without,
  );
  t.deepEqual(
    unenforceableAppArmor(pods.whole, () => false),
    without,
  );
  t.deepEqual(
    unenforceableAppArmor(pods.local, () => false),
    without,
  );
  t.is(
    unenforceableAppArmor(pods.unconfined, () => false),
    undefined,
  );
  t.is(
    unenforceableAppArmor(pods.default, () => true),
    undefined,
  );
  t.regex(unenforceableAppArmor(pods.local, () => true)?.message ?? '', /profile "fine" cannot be loaded/);
  const running = { ...pods.default, status: { phase: 'Running' } };
  t.is(
    unenforceableAppArmor(running, () => false),
    undefined,
  );
});
