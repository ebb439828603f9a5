import type { FastifyInstance } from 'fastify';
import { name } from './model';
import type { Example } from './queue';
import { emptyBody, examplesBody, predictBody, restoreBody } from './schemas';
import type { Saved } from './checkpoints';
import type { Service } from './service';
import type { Status } from './status';
import { pageHeaders } from './page';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a request changes anything, so that not everybody may make it. */
    changes?: boolean;
  }
}

const changes = { config: { changes: true } };

/** What is asked of the model, and who feeds it. */
export function addRoutes(app: FastifyInstance, service: Service): void {
  app.post<{ Body: { examples: Example[] } }>(
    '/examples',
    { ...changes, schema: { body: examplesBody } },
    (request, reply) => {
      const { examples } = request.body;
      service.accept(examples);
      return reply.code(202).send({ accepted: examples.length, queued: service.queue.length });
    },
  );

  app.post<{ Body: { x: number[][] } }>('/predict', { schema: { body: predictBody } }, (request) => {
    service.metrics.predictions.inc(request.body.x.length);
    return service.predictor.predict(request.body.x);
  });

  app.get('/model', () => describe(service));
  app.get('/status', () => service.status);
  app.get('/history', () => ({ points: service.history.points, accuracies: service.history.accuracies }));
  app.get('/metrics', async (_request, reply) => {
    return reply.type(service.metrics.registry.contentType).send(await service.metrics.registry.metrics());
  });
}

/** What starts, stops and saves the training. */
export function addControls(app: FastifyInstance, service: Service): void {
  const answer = (): Pick<Status, 'state' | 'step'> => ({ state: service.state, step: service.trainer.step });
  const control = (url: string, work: () => Promise<void>): void => {
    app.post(url, { ...changes, schema: { body: emptyBody } }, async () => {
      await work();
      return answer();
    });
  };
  control('/start', () => service.start());
  control('/pause', () => service.pause());
  control('/resume', () => service.resume());

  app.post('/checkpoint', { ...changes, schema: { body: emptyBody } }, async () => {
    const checkpoint: Saved = await service.save();
    return { ...answer(), checkpoint };
  });

  app.post<{ Body: { step?: number } | null }>(
    '/restore',
    { ...changes, schema: { body: restoreBody } },
    async (request) => {
      await service.restore(request.body?.step);
      return answer();
    },
  );
}

/** Server-sent events: see `Broadcast` for which there are. */
export function addEvents(app: FastifyInstance, service: Service): void {
  const { events, evaluator } = service;
  app.get('/events', { exposeHeadRoute: false }, (_request, reply) => {
    events.checkRoom();
    reply.hijack(); // from here on the response is ours
    events.add(reply.raw, pageHeaders);
    events.send('status', service.status, reply.raw);
    if (evaluator.last !== null) events.send('accuracy', evaluator.last, reply.raw);
  });
}

function describe(service: Service): unknown {
  const { run, settings, trainer } = service;
  return {
    name,
    optimizer: { class: run.optimizer.constructor.name, hyperparameters: run.hyperparameters },
    parameters: run.variables.reduce((sum, { size }) => sum + size, 0),
    variables: run.variables.map(({ name: variable, shape }) => ({ name: variable, shape })),
    batchSize: settings.batch,
    workers: settings.workers,
    step: trainer.step,
    state: service.state,
  };
}
