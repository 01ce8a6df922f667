import { createHash } from 'node:crypto';
import type { CSIDriver, CSINode, Node, StorageClass } from '../../../api/types.ts';
import type { Lister } from '../../../client/store.ts';
import type { SidecarDriver } from '../driver.ts';
import { termOfNode } from '../provisioner/topology-term.ts';

export interface CapacityView {
  driver: SidecarDriver;
  /** Also for classes that don't wait for a Pod. */
  immediateBinding: boolean;
  drivers: Lister<CSIDriver>;
  classes: Lister<StorageClass>;
  csiNodes: Lister<CSINode>;
  nodes: Lister<Node>;
}

/** One object that is to be there: what a class can have in a place. */
export interface WantedCapacity {
  name: string;
  /** The place; without labels it is everywhere. */
  segments: Record<string, string>;
  storageClass: StorageClass;
}

/** The labels of a driver's objects, upstream's. */
export const capacityLabels = (driverName: string): Record<string, string> => ({
  'csi.storage.k8s.io/drivername': driverName,
  'csi.storage.k8s.io/managed-by': 'external-provisioner',
});

/**
 * By name, all that is to be there. The name is made of what the object is about, so that two writers can't make two of it; upstream
 * lets the server choose names, and cleans up.
 */
export async function wantedCapacities(view: CapacityView): Promise<Map<string, WantedCapacity>> {
  const { driver, drivers, classes, immediateBinding } = view;
  const tracks = drivers.getByKey(driver.name)?.spec.storageCapacity ?? false;
  if (!tracks) return new Map();
  const { controller, plugin } = await driver.capabilities();
  if (!controller.has('GET_CAPACITY')) return new Map();
  const segments = plugin.has('VOLUME_ACCESSIBILITY_CONSTRAINTS') ? placesOf(view) : [{}];
  const wanted = classes
    .list()
    .filter(({ provisioner }) => provisioner === driver.name)
    .filter(({ volumeBindingMode }) => immediateBinding || volumeBindingMode === 'WaitForFirstConsumer')
    .flatMap((storageClass) => segments.map((each) => capacityIn(each, storageClass, driver.name)));
  return new Map(wanted.map((each) => [each.name, each]));
}

/** The places of the nodes on which the driver is registered, each once. */
function placesOf({ driver, csiNodes, nodes }: CapacityView): Record<string, string>[] {
  const places = new Map<string, Record<string, string>>();
  for (const { metadata, spec } of csiNodes.list()) {
    const registered = spec.drivers.find(({ name }) => name === driver.name);
    const labels = nodes.getByKey(metadata?.name ?? '')?.metadata?.labels;
    if (registered === undefined || labels === undefined) continue;
    const term = termOfNode(labels, registered.topologyKeys ?? []);
    if (term !== undefined) places.set(JSON.stringify(term), Object.fromEntries(term));
  }
  return [...places.values()];
}

function capacityIn(
  segments: Record<string, string>,
  storageClass: StorageClass,
  driverName: string,
): WantedCapacity {
  const about = JSON.stringify([driverName, storageClass.metadata?.name, segments]);
  const hash = createHash('sha256').update(about).digest('hex').slice(0, 16);
  return { name: `csisc-${hash}`, segments, storageClass };
}
