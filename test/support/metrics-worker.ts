import { Metrics, type MetricsHandle } from 'gradstep/metrics';
import { parentPort, workerData } from 'node:worker_threads';

/** What a worker counts. */
export interface CountOrder {
  readonly handle: MetricsHandle;
  /** How often; without it until it is terminated. */
  readonly times?: number;
  /** How it ends. */
  readonly end?: 'exit' | 'throw' | 'stay';
  /** How often it has counted: shared memory. */
  readonly told: Float64Array;
  readonly label?: string;
  /** Two numbers that a gauge is set to in turn, before anything is counted. */
  readonly flips?: readonly [number, number];
}

const { handle, times = Infinity, end, told, label = '', flips } = workerData as CountOrder;
const metrics = Metrics.from(handle).withLabels({ who: label });
if (flips !== undefined) {
  const flip = metrics.gauge('flip', { help: 'One of two numbers.' });
  flip.set(flips[0]);
  parentPort!.postMessage('flips');
  for (;;) {
    for (let i = 0; i < 1000; i++) flip.set(flips[i % 2]!);
  }
}
const counter = metrics.counter('counted_total', { help: 'Counted.' });
const histogram = metrics.histogram('observed', { help: 'Observed.', buckets: [0.5, 1, 2] });
metrics.gauge('alive', { help: 'Who is alive.' }).set(1);
metrics.gauge('last', { help: 'Who was last.', aggregate: 'last' }).set(times);
for (let i = 0; i < times; i++) {
  counter.inc();
  histogram.observe(1);
  told[0]! += 1;
}
parentPort!.postMessage('done');
if (end === 'exit') process.exit(3);
if (end === 'throw') throw new Error('it is over');
if (end === 'stay') setInterval(() => metrics, 1000);
