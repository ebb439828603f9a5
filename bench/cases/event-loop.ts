import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { AdamOptimizer, Variable } from 'gradstep';
import type { Bench, Case } from '../bench';
import { numbers, showCount, showThreads, weights } from '../data';
import { timed } from '../harness';
import { adamBytes } from '../ours';
import { sampled, type Side } from '../sides';
import { quantile } from '../statistics';

// What a server notices of a model that trains in its process: how late timers and answers come, before and meanwhile.

/** TensorFlow.js's WASM memory does not hold 50 million parameters with all that a step of them makes. */
const theirs = 2 ** 22;

/** Two models alike: what they make of the same gradient must be the same. */
function model(parameters: number, gradient: Float32Array) {
  const variable = Variable.over(weights(parameters, 7, 2 ** -6));
  const optimizer = new AdamOptimizer();
  const pairs = [[gradient, variable]] as const;
  return {
    step: () => void optimizer.applyGradients(pairs),
    stepAsync: () => optimizer.applyGradientsAsync(pairs),
    result: () => sampled(variable.data),
  };
}

/** Asynchronous steps one after another, as a program makes them. */
function asyncSide(name: string, { stepAsync, result }: ReturnType<typeof model>): Side {
  const turn = async (calls: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) await stepAsync();
    return (performance.now() - start) / 1000;
  };
  return { name, turn, result };
}

/** Sends one request after another, with a pause between, and tells how long each answer took. */
const client = `
  const { get, Agent } = require('node:http');
  const { parentPort, workerData: { port, seconds } } = require('node:worker_threads');
  const agent = new Agent({ keepAlive: true });
  const request = () => new Promise((resolve, reject) => {
    const start = performance.now();
    get({ port, agent }, (answer) => answer.resume().on('end', () => resolve(performance.now() - start))).on('error', reject);
  });
  (async () => {
    const times = [];
    for (let i = 0; i < 5; i++) await request(); // connects
    for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
      times.push(await request());
      await new Promise((resolve) => setTimeout(resolve, 2 + 3 * Math.random()));
    }
    parentPort.postMessage(times);
    agent.destroy();
  })();`;

async function withServer<T>(work: (port: number) => Promise<T>): Promise<T> {
  const server: Server = createServer((_, answer) => answer.end('as plain as it gets'));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

interface Noticed {
  /** Milliseconds from one turn of a timer of 1 ms to the next, sorted as p50, p99 and the most. */
  readonly delays: readonly number[];
  /** Milliseconds of an answer, likewise. */
  readonly answers: readonly number[];
}

/** What timers and a client notice while `step` is called again and again. */
async function notice(step: (() => Promise<unknown>) | null, seconds: number): Promise<Noticed> {
  let isOver = false;
  const training = (async () => {
    while (!isOver && step !== null) await step();
  })();
  const noticed = await withServer(async (port) => {
    const times = new Promise<number[]>((resolve, reject) => {
      const worker = new Worker(client, { eval: true, workerData: { port, seconds } });
      worker.on('message', resolve);
      worker.on('error', reject);
    });
    const histogram = monitorEventLoopDelay({ resolution: 1 });
    histogram.enable();
    const sorted = (await times).sort((a, b) => a - b);
    histogram.disable();
    const nanoseconds = [histogram.percentile(50), histogram.percentile(99), histogram.max];
    return {
      delays: nanoseconds.map((time) => time / 1e6),
      answers: [0.5, 0.99, 1].map((q) => quantile(sorted, q)),
    };
  });
  isOver = true;
  await training;
  return noticed;
}

const parts = ['median', 'p99', 'most'] as const;

function report(bench: Bench, what: string, { delays, answers }: Noticed, atMost?: number): void {
  parts.forEach((part, i) => {
    const goal = part === 'p99' && atMost !== undefined ? { atMost } : {};
    bench.measure(`event-loop delay, ${part}, ${what}`, () => ({ value: delays[i]!, unit: 'ms', ...goal }));
  });
  parts.forEach((part, i) => {
    bench.measure(`event-loop HTTP answer, ${part}, ${what}`, () => ({ value: answers[i]!, unit: 'ms' }));
  });
}

async function besideTfjs(bench: Bench, seconds: number): Promise<void> {
  const tfjs = await bench.peers.tfjs();
  if (tfjs === null) return;
  const side = await tfjs.adam('wasm', theirs);
  await side.prepare?.();
  const step = async (): Promise<void> => {
    await side.turn(1);
    await new Promise((resolve) => setImmediate(resolve)); // as its fit() does now and then
  };
  await step();
  report(bench, `TensorFlow.js WASM trains ${showCount(theirs)} parameters`, await notice(step, seconds));
  await side.dispose?.();
}

export const eventLoop: Case = {
  name: 'event-loop',
  about: 'asynchronous steps: how late timers and HTTP answers come meanwhile, and what they cost',
  usesPackages: true,
  async run(bench) {
    const parameters = bench.isQuick ? 20_000_000 : 50_000_000;
    const seconds = bench.isQuick ? 2 : 15;
    const name = `${showCount(parameters)} parameters, ${showThreads(bench.allThreads)}`;
    if (!bench.wants('event-loop')) return;
    const gradient = numbers(parameters, 5, 1);
    const [here, there] = [model(parameters, gradient), model(parameters, gradient)];
    await bench.contest(
      `event-loop Adam on ${name}`,
      () => [asyncSide('asynchronous', here), { ...timed('synchronous', there.step), result: there.result }],
      {
        work: { parameters, bytes: adamBytes(parameters) },
        goals: [{ against: 'synchronous', atLeast: 0.95 }],
        tolerance: 0,
        patience: 6,
      },
    );
    report(bench, 'nothing trains', await notice(null, seconds));
    report(bench, `asynchronous Adam on ${name}`, await notice(here.stepAsync, seconds), 5);
    await besideTfjs(bench, seconds);
  },
};
