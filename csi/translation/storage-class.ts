import type { StorageClass, TopologySelectorTerm } from '../../api/types.ts';
import type { InTreePlugin } from './in-tree-plugin.ts';
import { translateAllowedTopologies } from './topology.ts';

/** Changes and answers the class; its parameters are compared without regard to case, as the in-tree plugins did. */
export const translateStorageClassOf = (
  plugin: InTreePlugin,
  { storageClass, zoneKey }: { storageClass: StorageClass; zoneKey: string },
): StorageClass => {
  const parameters: Record<string, string> = {};
  let zones: string[] | undefined;
  for (const [key, value] of Object.entries(storageClass.parameters ?? {})) {
    switch (key.toLowerCase()) {
      case 'fstype':
        // The provisioner takes prefixed parameters away before the driver sees them.
        parameters['csi.storage.k8s.io/fstype'] = value;
        break;
      case 'zone':
        zones = [value];
        break;
      case 'zones':
        zones = value.split(',');
        break;
      default:
        Object.assign(parameters, plugin.translateParameter?.(key, value) ?? { [key]: value });
    }
  }
  const { allowedTopologies = [] } = storageClass;
  const translated = translateZones(plugin, { zones, allowedTopologies, zoneKey });
  if (translated.length > 0) storageClass.allowedTopologies = translated;
  storageClass.parameters = parameters;
  return storageClass;
};

const translateZones = (
  { vendorZoneKey }: InTreePlugin,
  {
    zones,
    allowedTopologies,
    zoneKey,
  }: {
    zones: readonly string[] | undefined;
    allowedTopologies: readonly TopologySelectorTerm[];
    zoneKey: string;
  },
): TopologySelectorTerm[] => {
  if (zones === undefined) return translateAllowedTopologies(allowedTopologies, { zoneKey, vendorZoneKey });
  if (allowedTopologies.length > 0) {
    throw new Error('cannot simultaneously set allowed topologies and zone/zones parameters');
  }
  return [{ matchLabelExpressions: [{ key: zoneKey, values: [...zones] }] }];
};
