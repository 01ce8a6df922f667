import type { CoreV1Event } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { age } from '../printers/age.ts';
import type { Column } from '../kind.ts';
import { text, wide } from '../printers/columns.ts';

const HOUR_MS = 3_600_000;

const firstSeen = ({ firstTimestamp, eventTime }: CoreV1Event): string => age(firstTimestamp ?? eventTime);

const lastSeen = (event: CoreV1Event): string => {
  if (event.series !== undefined) return age(event.series.lastObservedTime);
  return event.lastTimestamp === undefined ? firstSeen(event) : age(event.lastTimestamp);
};

/** Of an Event that another server has stored the object may be missing. */
function target({ involvedObject }: CoreV1Event): string {
  const { kind = '', name } = involvedObject ?? {};
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

/** "kubelet, node-1" (upstream: formatEventSource). */
function sourceOf({ source, reportingComponent, reportingInstance }: CoreV1Event): string {
  const component = source?.component || reportingComponent || '';
  const host = source?.host || reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}

const EVENT_COLUMNS: Column<CoreV1Event>[] = [
  text('Last Seen', 'The time at which the most recent occurrence of this event was recorded.', lastSeen),
  text(
    'Type',
    'Type of this event (Normal, Warning), new types could be added in the future',
    ({ type }) => type ?? '',
  ),
  text(
    'Reason',
    "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
    ({ reason }) => reason ?? '',
  ),
  text('Object', 'The object that this event is about.', target),
  wide(
    text(
      'Subobject',
      'If referring to a piece of an object instead of an entire object.',
      ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    ),
  ),
  wide(
    text(
      'Source',
      'The component reporting this event. Should be a short machine understandable string.',
      sourceOf,
    ),
  ),
  text('Message', 'A human-readable description of the status of this operation.', ({ message }) =>
    (message ?? '').trim(),
  ),
  wide(text('First Seen', 'The time at which the event was first recorded.', firstSeen)),
  wide({
    name: 'Count',
    type: 'string',
    description: 'The number of times this event has occurred.',
    cell: ({ series, count }) => series?.count ?? (count || 1),
  }),
  wide({
    ...text('Name', 'Name must be unique within a namespace.', ({ metadata }) => metadata.name ?? ''),
    format: 'name',
  }),
];

/** In the Go type it is a struct, written even when it is empty. */
function fillIn(event: CoreV1Event): void {
  event.involvedObject ??= {};
}

/** The fields that describe and events controllers select by. */
const eventFields = (event: CoreV1Event): Record<string, string> => ({
  'involvedObject.kind': event.involvedObject?.kind ?? '',
  'involvedObject.namespace': event.involvedObject?.namespace ?? '',
  'involvedObject.name': event.involvedObject?.name ?? '',
  'involvedObject.uid': event.involvedObject?.uid ?? '',
  'involvedObject.apiVersion': event.involvedObject?.apiVersion ?? '',
  'involvedObject.resourceVersion': event.involvedObject?.resourceVersion ?? '',
  'involvedObject.fieldPath': event.involvedObject?.fieldPath ?? '',
  reason: event.reason ?? '',
  reportingComponent: event.reportingComponent ?? '',
  source: event.source?.component || event.reportingComponent || '',
  type: event.type ?? '',
});

export const event = defineKind<CoreV1Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  verbs: ALL_VERBS,
  timeToLiveMs: HOUR_MS,
  columns: EVENT_COLUMNS,
  strategy: { allowCreateOnUpdate: true, prepareForCreate: fillIn, prepareForUpdate: fillIn },
  selectableFields: eventFields,
});
