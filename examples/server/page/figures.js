import { byId, setText } from './dom.js';
import { compact, count, decimal, milliseconds, percent, uptime } from './format.js';

/** @import { Charts } from './charts.js' */
/** @import { Model, Status } from './contract' */

/** @param {string} id @param {string} text */
const put = (id, text) => setText(byId(id, HTMLElement), text);

/** The large numbers. @param {Status} status @param {Charts['latest']} latest */
export function showFigures(status, latest) {
  const { step, examplesSeen, queue, eventLoopDelay, stream } = status;
  put('figure-step', count(step));
  put('figure-examples', `${compact(examplesSeen)} examples`);
  put('figure-loss', decimal(latest.loss));
  put('figure-norm', `gradient ${decimal(latest.gradientNorm)}`);
  put('figure-accuracy', percent(latest.accuracy));
  put(
    'figure-accuracy-step',
    latest.accuracyStep === null ? 'not yet evaluated' : `at step ${count(latest.accuracyStep)}`,
  );
  const speeds = status.workers.map(({ examplesPerSecond }) => examplesPerSecond ?? 0);
  const speed = speeds.reduce((sum, value) => sum + value, 0);
  put('figure-speed', compact(status.state === 'running' ? speed || latest.examplesPerSecond : 0));
  put('figure-rate', `learning rate ${decimal(latest.learningRate)}`);
  put('figure-delay', milliseconds(eventLoopDelay.p99));
  put('figure-delay-median', `median ${milliseconds(eventLoopDelay.p50)}`);
  const fill = queue.capacity > 0 ? queue.length / queue.capacity : 0;
  put('figure-queue', percent(fill, 0));
  put('figure-queue-length', `${count(queue.length)} of ${count(queue.capacity)}`);
  const meter = byId('queue-meter', HTMLMeterElement);
  Object.assign(meter, { max: Math.max(1, queue.capacity), value: queue.length });
  put('stream', stream ? 'with the embedded stream' : 'from requests only');
  put('uptime', `up ${uptime(status.uptimeSeconds)}`);
}

/** @param {Model} model */
export function showModel({ name, optimizer, parameters, variables, batchSize, workers }) {
  put('model-name', name);
  put('model-parameters', count(parameters));
  put('model-variables', count(variables.length));
  put('model-batch', count(batchSize));
  put('model-workers', count(workers));
  put('model-optimizer', optimizer.class.replace(/Optimizer$/, ''));
  const settings = Object.entries(optimizer.hyperparameters).map(([key, value]) => `${key} ${setting(value)}`);
  put('model-hyperparameters', settings.join(', ') || 'none');
}

/** @param {unknown} value */
function setting(value) {
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
}
