import { quote } from '../../../api/go-format.ts';
import {
  groupGetSecret,
  groupSnapshotterSecret,
  listSecret,
  snapshotterSecret,
} from '../../snapshots/secrets.ts';

const prefix = 'csi.storage.k8s.io/';

/** The keys below csi.storage.k8s.io/ that a class may have: they are for the sidecar. */
const ours: ReadonlySet<string> = new Set(
  [snapshotterSecret, listSecret, groupSnapshotterSecret, groupGetSecret].flatMap(
    ({ nameKey, namespaceKey }) => [nameKey, namespaceKey],
  ),
);

/** A class's parameters as the driver gets them. Throws an Error for an unknown key below csi.storage.k8s.io/. */
export const driverParameters = (parameters: Record<string, string> = {}): Record<string, string> => {
  const kept = Object.entries(parameters).filter(([key]) => {
    if (!key.startsWith(prefix)) return true;
    if (ours.has(key)) return false;
    throw new Error(
      `failed to remove CSI Parameters of prefixed keys: found unknown parameter key ${quote(key)} with reserved namespace ${prefix}`,
    );
  });
  return Object.fromEntries(kept);
};
