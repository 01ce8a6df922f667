import { runInContainer } from '../../containers/run-in-container.ts';
import { describeError } from '../../cri/cri-error.ts';
import { findPod, findRunningContainer } from '../find-container.ts';
import { HttpError } from '../http-error.ts';
import type { RouteRequest } from '../server.ts';

/** Runs a command (`cmd`, split at blanks) and answers with its output. */
export async function run({ options, response, url, parameters, signal }: RouteRequest): Promise<void> {
  const [namespace = '', name = '', uid, container = ''] = parameters;
  const pod = await findPod(options, { namespace, name, uid });
  const { id } = findRunningContainer(options, pod, container);
  const command = (url.searchParams.get('cmd') ?? '').split(' ');
  const { output } = await runInContainer({ cri: options.cri, containerId: id, command, signal }).catch(
    (error: unknown) => {
      throw new HttpError(500, describeError(error));
    },
  );
  response.writeHead(200, { 'content-type': 'text/plain' }).end(output);
}
