import { isDeepStrictEqual } from 'node:util';
import type { Namespace, NamespaceCondition } from '../../api/types.ts';
import { timeOf } from '../../client/clock.ts';
import type { ContentOutcome } from './content.ts';

interface Finding {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
}

/**
 * The conditions of a namespace that is being deleted, with upstream's reasons and words; the same array when
 * nothing has changed.
 */
export const conditionsOf = (
  { status }: Namespace,
  { outcome, nowMs }: { outcome: ContentOutcome; nowMs: number },
): NamespaceCondition[] => {
  const previous = status?.conditions ?? [];
  const findings = findingsOf(outcome);
  const kept = previous.filter(({ type }) => !findings.some((finding) => finding.type === type));
  const conditions = [
    ...kept,
    ...findings.map((finding) => {
      const before = previous.find(({ type }) => type === finding.type);
      const isSame = before?.status === finding.status && before.lastTransitionTime !== undefined;
      return { ...finding, lastTransitionTime: isSame ? before.lastTransitionTime : timeOf(nowMs) };
    }),
  ] as NamespaceCondition[];
  return status?.conditions !== undefined && isDeepStrictEqual(conditions, previous) ? previous : conditions;
};

const findingsOf = ({ remaining, finalizers, errors, discoveryError }: ContentOutcome): Finding[] => [
  discoveryError === undefined
    ? ok('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered')
    : bad('NamespaceDeletionDiscoveryFailure', 'DiscoveryFailed', discoveryError),
  ok(
    'NamespaceDeletionGroupVersionParsingFailure',
    'ParsedGroupVersions',
    'All legacy kube types successfully parsed',
  ),
  errors.length === 0
    ? ok(
        'NamespaceDeletionContentFailure',
        'ContentDeleted',
        'All content successfully deleted, may be waiting on finalization',
      )
    : bad(
        'NamespaceDeletionContentFailure',
        'ContentDeletionFailed',
        `Failed to delete all resource types, ${errors.length} remaining: ${errors.toSorted().join(', ')}`,
      ),
  remaining.size === 0
    ? ok('NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed')
    : bad('NamespaceContentRemaining', 'SomeResourcesRemain', remainingText(remaining)),
  finalizers.size === 0
    ? ok(
        'NamespaceFinalizersRemaining',
        'ContentHasNoFinalizers',
        'All content-preserving finalizers finished',
      )
    : bad('NamespaceFinalizersRemaining', 'SomeFinalizersRemain', finalizersText(finalizers)),
];

const ok = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'False',
  reason,
  message,
});

const bad = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'True',
  reason,
  message,
});

const remainingText = (counts: Map<string, number>) =>
  `Some resources are remaining: ${[...counts]
    .map(([resource, count]) => `${resource} has ${count} resource instances`)
    .sort()
    .join(', ')}`;

const finalizersText = (counts: Map<string, number>) =>
  `Some content in the namespace has finalizers remaining: ${[...counts]
    .map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
    .sort()
    .join(', ')}`;
