import type { NodeSelectorRequirement, PersistentVolume, TopologySelectorTerm } from '../../api/types.ts';

export const zoneLabel = 'topology.kubernetes.io/zone';
const regionLabel = 'topology.kubernetes.io/region';
const oldZoneLabel = 'failure-domain.beta.kubernetes.io/zone';
const oldRegionLabel = 'failure-domain.beta.kubernetes.io/region';

/** `a__b` is a volume in both zones (cloud-provider's label). */
const zoneDelimiter = '__';

/** The zones of a zone label's value. */
export const splitZones = (value: string | undefined): string[] => [
  ...new Set(
    (value ?? '')
      .split(zoneDelimiter)
      .map((zone) => zone.trim())
      .filter((zone) => zone !== ''),
  ),
];

/** The zone label of a PV; the old name goes first, as a PV of that age may have got a new one by mistake. */
export const zonesOfLabels = ({ metadata }: PersistentVolume): string | undefined =>
  metadata?.labels?.[oldZoneLabel] || metadata?.labels?.[zoneLabel];

/** A PV's zone for its CSI driver: required node affinity if it speaks of zones, else its labels. Changes the PV. */
export const translateTopologyToCsi = (pv: PersistentVolume, zoneKey: string): void => {
  const names = labelNames(pv);
  if (topologyValues(pv, names.zone).length > 0) renameTopology(pv, names.zone, zoneKey);
  else addTopology(pv, zoneKey, splitZones(pv.metadata?.labels?.[names.zone]));
  // Nodes of today may have the new label only.
  if (names.region === oldRegionLabel) renameTopology(pv, oldRegionLabel, regionLabel);
};

/**
 * The other way round, for a PV that a CSI driver has made for an in-tree class: zone and, where the zones'
 * names tell one, region, as node affinity and as labels. Changes the PV.
 */
export const translateTopologyToInTree = (
  pv: PersistentVolume,
  { zoneKey, regionOf }: { zoneKey: string; regionOf: (zones: readonly string[]) => string | undefined },
): void => {
  const names = labelNames(pv);
  renameTopology(pv, zoneKey, names.zone);
  for (const term of termsOf(pv)) {
    const expressions = (term.matchExpressions ??= []);
    if (expressions.some(({ key }) => key === names.region)) continue;
    const zones = expressions.filter(({ key }) => key === names.zone).flatMap(({ values = [] }) => values);
    const region = zones.length === 0 ? undefined : regionOf(zones);
    if (region !== undefined) expressions.push({ key: names.region, operator: 'In', values: [region] });
  }
  const regions = topologyValues(pv, names.region);
  if (regions.length === 1) addLabel(pv, names.region, regions[0] ?? '');
  const zones = topologyValues(pv, names.zone);
  if (zones.length > 0) addLabel(pv, names.zone, zones.join(zoneDelimiter));
};

/** A class's allowed zones under the driver's key; other keys stay. */
export const translateAllowedTopologies = (
  terms: readonly TopologySelectorTerm[],
  { zoneKey, vendorZoneKey }: { zoneKey: string; vendorZoneKey: string },
): TopologySelectorTerm[] => {
  const zoneKeys = new Set([zoneLabel, oldZoneLabel, vendorZoneKey]);
  return terms.map(({ matchLabelExpressions = [] }) => ({
    matchLabelExpressions: matchLabelExpressions.map(({ key, values }) => ({
      key: zoneKeys.has(key) ? zoneKey : key,
      values,
    })),
  }));
};

/** Node affinity before labels, new names before old ones. */
const labelNames = (pv: PersistentVolume): { zone: string; region: string } => {
  const current = { zone: zoneLabel, region: regionLabel };
  const old = { zone: oldZoneLabel, region: oldRegionLabel };
  const inAffinity = (key: string) => requirementsOf(pv).some((requirement) => requirement.key === key);
  if (inAffinity(zoneLabel)) return current;
  if (inAffinity(oldZoneLabel)) return old;
  const labels = pv.metadata?.labels ?? {};
  return zoneLabel in labels || !(oldZoneLabel in labels) ? current : old;
};

const termsOf = ({ spec }: PersistentVolume) => spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];

const requirementsOf = (pv: PersistentVolume): NodeSelectorRequirement[] =>
  termsOf(pv).flatMap(({ matchExpressions = [] }) => matchExpressions);

const topologyValues = (pv: PersistentVolume, key: string): string[] => {
  const requirements = requirementsOf(pv).filter((requirement) => requirement.key === key);
  return [...new Set(requirements.flatMap(({ values = [] }) => values))].sort();
};

const renameTopology = (pv: PersistentVolume, from: string, to: string): void => {
  for (const requirement of requirementsOf(pv)) if (requirement.key === from) requirement.key = to;
};

const addTopology = (pv: PersistentVolume, key: string, values: readonly string[]): void => {
  const { spec } = pv;
  if (values.length === 0 || spec === undefined) return;
  const terms = termsOf(pv);
  const all = terms.length === 0 ? [{}] : terms;
  const requirement = { key, operator: 'In', values: values.toSorted() };
  const nodeSelectorTerms = all.map(({ matchExpressions = [], ...term }: (typeof terms)[number]) => ({
    ...term,
    matchExpressions: [...matchExpressions, requirement],
  }));
  spec.nodeAffinity = { required: { nodeSelectorTerms } };
};

const addLabel = (pv: PersistentVolume, key: string, value: string): void => {
  const metadata = (pv.metadata ??= {});
  metadata.labels = { [key]: value, ...metadata.labels };
};
