import { fastify, type FastifyError, type FastifyInstance } from 'fastify';
import { CheckpointError } from 'gradstep/checkpoint';
import { HttpError } from './errors';
import { pageHeaders, servePage } from './page';
import { addControls, addEvents, addRoutes } from './routes';
import { bodyLimit } from './schemas';
import { Guard } from './security';
import type { Service } from './service';

/** The server's HTTP side. */
export function createApp(service: Service): FastifyInstance {
  const app = fastify({
    bodyLimit,
    requestTimeout: 30_000, // who sends slower is let go
    return503OnClosing: false, // those on their way are answered
    logger: { level: 'error' },
    // Numbers are to be numbers: "3" is none. Who is wrong is told, rather than guessed at.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
  });
  app.removeContentTypeParser('text/plain'); // JSON is all that is understood
  const guard = new Guard(service.settings);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(pageHeaders);
    guard.checkHost(request.headers);
    if (request.routeOptions.config.changes === true) guard.checkCaller(request.headers);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    service.metrics.answered(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { status, code, message, retryAfter } = explain(error);
    if (status >= 500 && !(error instanceof HttpError)) app.log.error(error);
    if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    return reply.code(status).send({ error: { code, message } });
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url.slice(0, 100)}`;
    return reply.code(404).send({ error: { code: 'not_found', message } });
  });
  addRoutes(app, service);
  addControls(app, service);
  addEvents(app, service);
  servePage(app);
  return app;
}

/** What the caller is told of an error. */
function explain(error: FastifyError): Pick<HttpError, 'status' | 'code' | 'message' | 'retryAfter'> {
  if (error instanceof HttpError) return error;
  if (error instanceof CheckpointError && error.code === 'not-found') {
    return { status: 404, code: 'not_found', message: 'there is no checkpoint of this step' };
  }
  const { statusCode: status = 500, message } = error;
  // What goes wrong in here is for the log.
  if (status >= 500) return { status: 500, code: 'internal', message: 'something went wrong here: the log says what' };
  if (status === 415) return { status, code: 'unsupported_media_type', message: 'send content-type: application/json' };
  return { status, code: status === 413 ? 'payload_too_large' : 'invalid_request', message };
}
