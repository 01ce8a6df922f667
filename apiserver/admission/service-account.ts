import { generatedName } from '../../api/meta.ts';
import type { Container, PodSpec, ServiceAccount, Volume } from '../../api/types.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { ObjectPlace, ObjectStore } from '../storage/object-store.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { createdPod, isMirror, refuse } from './pod-creation.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_SECONDS = 3607;
const FILE_MODE = 0o644;

/** As long as upstream tries again (getServiceAccount): ten times, 100 to 200 ms apart. */
const ACCOUNT_WAIT_MS = 9 * 150;

interface ServiceAccountOptions {
  stores: Stores;
  /** How long a Pod waits for the default account of a new namespace. */
  waitMs?: number;
}

/** Gives each Pod its service account, pull secrets and the projected token volume (upstream: plugin/pkg/admission/serviceaccount). */
export const serviceAccount = ({
  stores,
  waitMs = ACCOUNT_WAIT_MS,
}: ServiceAccountOptions): AdmissionPlugin => ({
  name: 'ServiceAccount',
  async admit(attributes) {
    const pod = createdPod(attributes);
    if (pod?.spec === undefined) return;
    if (isMirror(pod)) return checkMirror(attributes, pod.spec);
    pod.spec.serviceAccountName ||= 'default';
    pod.spec.serviceAccount = pod.spec.serviceAccountName;
    const account = await findAccount({ stores, waitMs }, attributes, pod.spec.serviceAccountName);
    if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
      mountToken(pod.spec);
    if ((pod.spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
      pod.spec.imagePullSecrets = structuredClone(account.imagePullSecrets ?? []);
    }
  },
});

/** A static Pod cannot use what lives in the API. */
function checkMirror(attributes: AdmissionAttributes, spec: PodSpec): void {
  if (spec.serviceAccountName) throw refuse(attributes, 'a mirror pod may not reference service accounts');
  for (const { secret, projected } of spec.volumes ?? []) {
    if (secret !== undefined) throw refuse(attributes, 'a mirror pod may not reference secrets');
    if (projected?.sources?.some((source) => source.serviceAccountToken !== undefined) === true) {
      throw refuse(attributes, 'a mirror pod may not use ServiceAccountToken volume projections');
    }
  }
}

async function findAccount(
  { stores, waitMs }: Required<ServiceAccountOptions>,
  attributes: AdmissionAttributes,
  name: string,
): Promise<ServiceAccount> {
  const { namespace } = attributes.request.info;
  const accounts = stores.named('', 'serviceaccounts');
  const place = { namespace, name };
  const account = accounts.peek(place) ?? (await accounts.find(place))?.object;
  if (account !== undefined) return account;
  if (name === 'default') {
    const made = await madeSoon(accounts, place, waitMs);
    if (made !== undefined) return made;
  }
  const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
  throw refuse(attributes, why);
}

/** The controller makes the default account right after its namespace: who makes a Pod at once waits for it. */
function madeSoon(
  accounts: ObjectStore,
  place: ObjectPlace,
  waitMs: number,
): Promise<ServiceAccount | undefined> {
  return new Promise((resolve) => {
    const end = (account: ApiObject | undefined) => {
      clearTimeout(timer);
      unlisten();
      resolve(account as ServiceAccount | undefined);
    };
    const timer = setTimeout(() => end(accounts.peek(place)), waitMs);
    const unlisten = accounts.cache.listen(({ type, entry }) => type === 'ADDED' && end(entry.object), {
      key: accounts.keyOf(place),
    });
  });
}

function mountToken(spec: PodSpec): void {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const without = containers.filter(
    ({ volumeMounts }) => !volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH),
  );
  if (without.length === 0) return;
  const present = spec.volumes?.find(
    ({ name, projected }) => name.startsWith('kube-api-access-') && projected !== undefined,
  );
  const volume = present ?? tokenVolume();
  if (present === undefined) spec.volumes = [...(spec.volumes ?? []), volume];
  for (const container of without) addMount(container, volume.name);
}

function addMount(container: Container, name: string): void {
  container.volumeMounts = [
    ...(container.volumeMounts ?? []),
    { name, readOnly: true, mountPath: MOUNT_PATH },
  ];
}

const tokenVolume = (): Volume => ({
  name: generatedName('kube-api-access-'),
  projected: {
    defaultMode: FILE_MODE,
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});
