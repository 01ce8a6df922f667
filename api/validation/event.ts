import { isDeepStrictEqual } from 'node:util';
import { isDns1123Subdomain } from '../names.ts';
import type { CoreV1Event, EventsV1Event, KubernetesObject, ObjectReference } from '../types.ts';
import { checkPresent, checkQualifiedName, complaints, nameIsSubdomain } from './checks.ts';
import { invalid, required } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { checkImmutable, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Checks an Event of the core group. Source: Kubernetes pkg/apis/core/validation/events.go. */
export function validateEvent(event: CoreV1Event): FieldError[] {
  const { involvedObject: about, reportingComponent, message } = event;
  return legacyErrors(event, {
    about,
    controller: reportingComponent,
    message,
    controllerField: 'reportingComponent',
  });
}

/** Checks an Event of events.k8s.io, which is stricter. */
export function validateEventsV1Event(event: EventsV1Event): FieldError[] {
  return [
    ...legacyOfEventsV1(event),
    ...validateObjectMeta(event, { namespaced: true, nameRule: nameIsSubdomain }),
    ...checkSeries(event),
    ...(event.eventTime === undefined ? [required('eventTime')] : []),
    ...(['Normal', 'Warning'].includes(event.type ?? '')
      ? []
      : [invalid('type', '', `has invalid value: ${event.type ?? ''}`)]),
    ...checkUnset(event),
  ];
}

export function validateEventsV1EventUpdate(event: EventsV1Event, old: EventsV1Event): FieldError[] {
  const fields = [
    ['regarding', 'involvedObject'],
    ['reason', 'reason'],
    ['note', 'message'],
    ['deprecatedSource', 'source'],
    ['deprecatedFirstTimestamp', 'firstTimestamp'],
    ['deprecatedLastTimestamp', 'lastTimestamp'],
    ['deprecatedCount', 'count'],
    ['type', 'type'],
    ['eventTime', 'eventTime'],
    ['action', 'action'],
    ['related', 'related'],
    ['reportingController', 'reportingController'],
    ['reportingInstance', 'reportingInstance'],
  ] as const;
  return [
    ...legacyOfEventsV1(event),
    ...validateObjectMetaUpdate(event, old),
    ...(isDeepStrictEqual(event.series, old.series) ? [] : checkSeries(event)),
    // Clients of Go write an empty source where there is none.
    ...fields.flatMap(([field, shown]) =>
      semanticEqual(event[field], old[field]) ? [] : checkImmutable(event[field], old[field], shown),
    ),
  ];
}

function legacyOfEventsV1(event: EventsV1Event): FieldError[] {
  const { regarding: about, reportingController, note } = event;
  return legacyErrors(event, {
    about,
    controller: reportingController,
    message: note,
    controllerField: 'reportingController',
  });
}

interface Parts {
  about: ObjectReference | undefined;
  controller: string | undefined;
  message: string | undefined;
  controllerField: string;
}

type AnyEvent = KubernetesObject & {
  eventTime?: string;
  reportingInstance?: string;
  action?: string;
  reason?: string;
};

function legacyErrors(event: AnyEvent, parts: Parts): FieldError[] {
  const namespace = event.metadata?.namespace ?? '';
  const about = parts.about?.namespace ?? '';
  const isNew = event.eventTime !== undefined;
  const allowed = isNew ? ['default', 'kube-system'] : ['', 'default'];
  const matches = about === '' ? allowed.includes(namespace) : isNew || about === namespace;
  return [
    ...(matches ? [] : [invalid('involvedObject.namespace', about, 'does not match event.namespace')]),
    ...(isNew ? newEventErrors(event, parts) : []),
    ...complaints('namespace', namespace, isDns1123Subdomain(namespace)),
  ];
}

function newEventErrors(event: AnyEvent, { controller = '', message, controllerField }: Parts): FieldError[] {
  const texts: [field: string, text: string | undefined][] = [
    ['reportingInstance', event.reportingInstance],
    ['action', event.action],
    ['reason', event.reason],
  ];
  return [
    ...checkPresent(controller, controllerField),
    ...checkQualifiedName(controller, controllerField),
    ...texts.flatMap(([field, text]) => [...checkPresent(text, field), ...checkLength(text, field, 128)]),
    ...checkLength(message, 'message', 1024),
  ];
}

function checkLength(text: string | undefined, field: string, limit: number): FieldError[] {
  return (text ?? '').length > limit ? [invalid(field, '', `can have at most ${limit} characters`)] : [];
}

function checkSeries({ series }: EventsV1Event): FieldError[] {
  if (series === undefined) return [];
  return [
    ...(series.count < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime === undefined ? [required('series.lastObservedTime')] : []),
  ];
}

/** Fields that only Events of the core group use. */
function checkUnset(event: EventsV1Event): FieldError[] {
  const source = event.deprecatedSource ?? {};
  const set: [field: string, isSet: boolean][] = [
    ['firstTimestamp', event.deprecatedFirstTimestamp !== undefined],
    ['lastTimestamp', event.deprecatedLastTimestamp !== undefined],
    ['count', (event.deprecatedCount ?? 0) !== 0],
    ['source', (source.component ?? '') !== '' || (source.host ?? '') !== ''],
  ];
  return set.filter(([, isSet]) => isSet).map(([field]) => invalid(field, '', 'needs to be unset'));
}
