import type { CgroupResources } from '../resources.ts';
import type { Controller, FileWrite } from './controller.ts';

const limit = ({ pidsLimit }: CgroupResources): FileWrite[] =>
  pidsLimit === undefined ? [] : [['pids.max', pidsLimit <= 0 ? 'max' : String(pidsLimit)]];

/** pids: how many processes and threads there may be. */
export const pids: Controller = { name: 'pids', v1: limit, v2: limit };
