import type { ApiObject, Kind } from '../kind.ts';
import { event } from './event.ts';

/** Core and events.k8s.io events are two spellings of one object (upstream: apis/events/v1 conversion.go). */
const RENAMED: [core: string, events: string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];

const toView = new Map(RENAMED);
const toCore = new Map(RENAMED.map(([core, events]) => [events, core]));

const rename = (object: ApiObject, names: Map<string, string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value]));

const fromStored = (object: ApiObject): ApiObject =>
  ({ ...rename(object, toView), apiVersion: 'events.k8s.io/v1' }) as ApiObject;

const toStored = (object: ApiObject): ApiObject =>
  ({
    involvedObject: {},
    ...rename(object, toCore),
    apiVersion: 'v1',
    kind: 'Event',
  }) as unknown as ApiObject;

function viewFields(object: ApiObject): Record<string, string> {
  const fields = event.selectableFields?.(toStored(object)) ?? {};
  const renamed = (name: string) =>
    name.replace('involvedObject.', 'regarding.').replace(/^reportingComponent$/, 'reportingController');
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [renamed(name), value]));
}

export const eventView: Kind = {
  ...event,
  group: 'events.k8s.io',
  version: 'v1',
  strategy: { allowCreateOnUpdate: true },
  columns: (event.columns ?? []).map((column) => ({
    ...column,
    cell: (object) => column.cell(toStored(object)),
  })),
  selectableFields: viewFields,
  viewOf: { group: '', plural: 'events', fromStored, toStored },
};
