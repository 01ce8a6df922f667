import test from 'ava';
import { targetSize } from '../../../../csi/sidecars/resizer/target-size.ts';

interface Case {
  requested: string;
  /** The volume's present size. */
  volume: string;
  status?: string;
  allocated?: string;
  failedFinally?: boolean;
  onNodeAlone?: boolean;
  pendingOnNode?: boolean;
}

const target = (given: Case) =>
  targetSize({
    claim: {
      spec: { resources: { requests: { storage: given.requested } } },
      status: {
        capacity: { storage: '1Gi' },
        ...(given.status === undefined ? {} : { allocatedResourceStatuses: { storage: given.status } }),
        ...(given.allocated === undefined ? {} : { allocatedResources: { storage: given.allocated } }),
        ...(given.pendingOnNode === true
          ? { conditions: [{ type: 'FileSystemResizePending', status: 'True' }] }
          : {}),
      },
    },
    volume: { spec: { capacity: { storage: given.volume } } },
    hasFailedFinally: given.failedFinally ?? false,
    hasControllerExpansion: given.onNodeAlone !== true,
  });

const cases: [what: string, given: Case, expected: string | undefined][] = [
  ['a first growth', { requested: '2Gi', volume: '1Gi' }, '2Gi'],
  [
    'growth under way at the driver goes on to the size it began with',
    { requested: '2Gi', volume: '1Gi', status: 'ControllerResizeInProgress', allocated: '4Gi' },
    '4Gi',
  ],
  [
    'growth that the driver has refused is begun anew',
    {
      requested: '2Gi',
      volume: '1Gi',
      status: 'ControllerResizeInProgress',
      allocated: '4Gi',
      failedFinally: true,
    },
    '2Gi',
  ],
  [
    'an infeasible size is given up',
    { requested: '2Gi', volume: '1Gi', status: 'ControllerResizeInfeasible', allocated: '9Ti' },
    '2Gi',
  ],
  [
    'the node finishes first what it was given',
    { requested: '3Gi', volume: '2Gi', status: 'NodeResizePending', allocated: '2Gi' },
    undefined,
  ],
  [
    'the node finishes first what it has begun',
    { requested: '3Gi', volume: '2Gi', status: 'NodeResizeInProgress', allocated: '2Gi' },
    undefined,
  ],
  [
    'what the node could not do is done again at its size',
    { requested: '4Gi', volume: '2Gi', status: 'NodeResizeInfeasible', allocated: '3Gi' },
    '3Gi',
  ],
  [
    'a grown volume that waits for the node is left alone',
    { requested: '2Gi', volume: '2Gi', status: 'NodeResizePending', allocated: '2Gi' },
    undefined,
  ],
  [
    'a grown volume of which nothing was written down is gone on with',
    { requested: '2Gi', volume: '2Gi', status: 'ControllerResizeInProgress', allocated: '2Gi' },
    '2Gi',
  ],
  [
    'a grown volume whose file system the node could not grow is verified by the driver',
    { requested: '2Gi', volume: '3Gi', status: 'NodeResizeInfeasible', allocated: '3Gi' },
    '3Gi',
  ],
  [
    'without a driver that grows volumes the request counts',
    { requested: '2Gi', volume: '3Gi', status: 'NodeResizeInfeasible', allocated: '3Gi', onNodeAlone: true },
    '2Gi',
  ],
  [
    'a status that was lost is taken from the size',
    { requested: '2Gi', volume: '3Gi', allocated: '3Gi' },
    '3Gi',
  ],
  ['an old condition says the same', { requested: '2Gi', volume: '2Gi', pendingOnNode: true }, undefined],
  ['a larger volume than asked for', { requested: '2Gi', volume: '3Gi' }, '2Gi'],
];

for (const [what, given, expected] of cases) test(what, (t) => t.is(target(given), expected));
