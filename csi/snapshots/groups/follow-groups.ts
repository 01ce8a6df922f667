import type { Controller, ControllerContext } from '../../../client/controller.ts';
import type { SnapshotInformers } from '../informers.ts';
import type { Snapshotting } from '../snapshotting.ts';
export const followGroups = (_: {
  context: ControllerContext;
  concurrency: number;
  world: Snapshotting;
  informers: SnapshotInformers;
}): Controller => ({ stop: () => Promise.resolve() });
