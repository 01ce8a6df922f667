import type { CoreV1Event } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
import { createRecorders } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { isNotFound } from '../../client/errors.ts';
import { createInformerFactory } from '../../client/informer-factory.ts';
import type { ApiObject } from '../../client/objects.ts';
import { events } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { createDefaultAccount, startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';

/** Some controllers and nothing else on a real API server. `client` may do everything. */
export const startControllerRig = async (factories: ControllerFactory[]) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  await createDefaultAccount(client);
  const controllers = runTestControllers(
    await server.clientAs('system:kube-controller-manager', ['system:masters']),
    factories,
  );
  return {
    client,
    server,
    stop: async () => {
      await controllers.stop();
      await server.stop();
    },
  };
};

/** Runs controllers with informers and recorders of their own. */
export const runTestControllers = (client: Client, factories: ControllerFactory[]) => {
  const onError = (error: unknown) => testLog.warn({ err: error }, 'informer');
  const informers = createInformerFactory({ client, clock: systemClock, onError });
  const recorders = createRecorders({ client, clock: systemClock, log: testLog });
  const recorder = (component: string) => recorders.recorder(component);
  const context = { client, informers, clock: systemClock, log: testLog, recorder };
  const controllers = factories.map((factory) => factory(context));
  informers.start();
  return {
    async stop() {
      await informers.stop();
      await Promise.all(controllers.map((controller) => controller.stop()));
      recorders.stop();
    },
  };
};

/** Resolves with undefined when the server says NotFound. */
export const found = async <T>(promise: Promise<T>): Promise<T | undefined> =>
  promise.catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });

/** Waits for an event about this object with this reason, and for this message when one is given. */
export const eventAbout = (
  client: Client,
  object: ApiObject,
  { reason, message }: { reason: string; message?: string },
): Promise<CoreV1Event> =>
  until(
    `event ${reason} ${message ?? ''} about ${object.kind ?? ''} ${object.metadata?.name ?? ''}`,
    async () => {
      const list = await client.resource(events).list({ namespace: object.metadata?.namespace ?? 'default' });
      return list.items.find(
        (event) =>
          event.involvedObject.uid === object.metadata?.uid &&
          event.reason === reason &&
          (message === undefined || event.message === message),
      );
    },
  );
