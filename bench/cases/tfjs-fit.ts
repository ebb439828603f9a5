import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { accelerate, adam } from 'gradstep/tfjs';
import type { Bench, Case } from '../bench';
import { numbers } from '../data';
import { timed } from '../harness';
import type { TfjsBackend } from '../peers/tfjs';
import type { Side } from '../sides';

// The part of TensorFlow.js that is used here; its own types are installed too late for the compiler.
interface Tensor {
  dispose(): void;
}
interface Model {
  compile(options: object): void;
  fit(x: Tensor, y: Tensor, options: object): Promise<{ history: { loss: number[] } }>;
  dispose(): void;
}
type Layer = (options: object) => object;
export interface Library {
  getKernel(kernelName: string, backendName: string): object | undefined;
  registerKernel(config: never): void;
  unregisterKernel(kernelName: string, backendName: string): void;
  readonly backend_util: object;
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array, shape: number[]): Tensor;
  relu(x: Tensor): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  sum(x: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  sequential(options: { layers: object[] }): Model;
  readonly train: { adam(learningRate: number): object };
  readonly initializers: { glorotUniform(options: { seed: number }): object };
  readonly layers: Readonly<Record<'conv2d' | 'maxPooling2d' | 'flatten' | 'dense', Layer>>;
}

const batchSize = 64;

export interface Task {
  readonly inputShape: number[];
  readonly layers: (tf: Library) => object[];
}

const seeded = (tf: Library, seed: number): object => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });

export const perceptron: Task = {
  inputShape: [784],
  layers: (tf) => [
    tf.layers.dense({ units: 256, activation: 'relu', inputShape: [784], ...seeded(tf, 1) }),
    tf.layers.dense({ units: 10, activation: 'softmax', ...seeded(tf, 2) }),
  ],
};

const convolutional: Task = {
  inputShape: [28, 28, 1],
  layers: (tf) => [
    tf.layers.conv2d({ filters: 8, kernelSize: 5, activation: 'relu', inputShape: [28, 28, 1], ...seeded(tf, 1) }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten({}),
    tf.layers.dense({ units: 10, activation: 'softmax', ...seeded(tf, 2) }),
  ],
};

/** Switches what is accelerated before a turn. */
const switched = (tf: Library, backend: TfjsBackend, isOurs: boolean) => async (): Promise<void> => {
  await tf.setBackend(backend);
  if (isOurs) accelerate(tf);
  else accelerate.off();
};

export interface Training extends Side {
  epoch(): Promise<number>;
}

/** A model of its own, an epoch a call; with gradstep's kernels and adam, or with TensorFlow.js's. */
export async function training(
  tf: Library,
  name: string,
  backend: TfjsBackend,
  isOurs: boolean,
  { inputShape, layers }: Task,
  examples: number,
): Promise<Training> {
  const prepare = switched(tf, backend, isOurs);
  await prepare();
  const size = inputShape.reduce((a, b) => a * b, 1);
  const x = tf.tensor(numbers(examples * size, 11, 1).slice(), [examples, ...inputShape]);
  const classes = new Float32Array(examples * 10);
  for (let i = 0; i < examples; i++) classes[10 * i + ((7 * i) % 10)] = 1;
  const y = tf.tensor(classes, [examples, 10]);
  const model = tf.sequential({ layers: layers(tf) });
  const optimizer = isOurs ? adam({ learningRate: 1e-3 }) : tf.train.adam(1e-3);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const epoch = async (): Promise<number> => {
    const { history } = await model.fit(x, y, { epochs: 1, batchSize, shuffle: false, verbose: 0 });
    return history.loss[0]!;
  };
  let losses: number[] = [];
  return {
    name,
    prepare,
    epoch,
    turn: async (calls) => {
      const start = performance.now();
      for (let i = 0; i < calls; i++) losses = [...losses.slice(-2), await epoch()];
      return (performance.now() - start) / 1000;
    },
    result: () => losses,
    dispose: () => [x, y, model].forEach((thing) => thing.dispose()),
  };
}

/** The most memory that a process of its own takes, in bytes: TensorFlow.js, a model, two epochs. */
function peakOf(backend: TfjsBackend, isOurs: boolean, examples: number): number {
  const file = join(__dirname, '..', 'fit-memory.js');
  const args = [file, backend, isOurs ? 'gradstep' : 'theirs', `${examples}`];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

async function fits(bench: Bench, tf: Library): Promise<void> {
  const common = { tolerance: 1e-3, patience: 10 };
  const examples = bench.isQuick ? 256 : 2048;
  const goals = { cpu: 12, wasm: 5.5 };
  for (const backend of ['cpu', 'wasm'] as const) {
    const theirs = `TensorFlow.js ${backend === 'cpu' ? 'CPU' : 'WASM'}`;
    await bench.contest(
      `tfjs-fit 784-256-10, an epoch of ${examples}, ${backend}`,
      async () => [
        await training(tf, 'gradstep', backend, true, perceptron, examples),
        await training(tf, theirs, backend, false, perceptron, examples),
      ],
      { ...common, goals: [{ against: theirs, atLeast: goals[backend] }] },
    );
  }
  const images = bench.isQuick ? 64 : 128;
  await bench.contest(
    `tfjs-fit convolutional, an epoch of ${images}`,
    async () => [
      await training(tf, 'gradstep', 'cpu', true, convolutional, images),
      await training(tf, 'gradstep WASM', 'wasm', true, convolutional, images), // alone it has not all kernels for it
      await training(tf, 'TensorFlow.js CPU', 'cpu', false, convolutional, images),
    ],
    common,
  );
  for (const backend of ['cpu', 'wasm'] as const) {
    for (const [name, isOurs] of [
      ['gradstep', true],
      ['TensorFlow.js', false],
    ] as const) {
      bench.measure(`tfjs-fit memory of the process at most, 784-256-10, ${backend}, ${name}`, () => ({
        value: peakOf(backend, isOurs, examples),
        unit: 'B',
      }));
    }
  }
}

/** What being loaded costs an op that is too small for us. */
async function smallOps(bench: Bench, tf: Library): Promise<void> {
  for (const backend of ['cpu', 'wasm'] as const) {
    await tf.setBackend(backend);
    const [x, y] = [tf.tensor(numbers(4, 11, 1).slice(), [2, 2]), tf.tensor(numbers(4, 13, 1).slice(), [2, 2])];
    const ops = {
      relu: () => tf.relu(x),
      add: () => tf.add(x, y),
      sum: () => tf.sum(x),
      matMul: () => tf.matMul(x, y),
    };
    for (const [name, op] of Object.entries(ops)) {
      const side = (who: string, isOurs: boolean): Side =>
        timed(who, () => op().dispose(), switched(tf, backend, isOurs));
      await bench.contest(
        `tfjs-fit ${name} of 4 elements, ${backend}`,
        () => [side('gradstep', true), side('TensorFlow.js', false)],
        { goals: [{ against: 'TensorFlow.js', atMost: 1.1 }], patience: 6 },
      );
    }
  }
}

export const tfjsFit: Case = {
  name: 'tfjs-fit',
  about: 'model.fit of TensorFlow.js with accelerate and our adam against its own',
  usesPackages: true,
  async run(bench) {
    const tfjs = await bench.peers.tfjs();
    if (tfjs === null) return;
    const tf = tfjs.library as Library;
    try {
      await fits(bench, tf);
      await smallOps(bench, tf);
    } finally {
      accelerate.off();
    }
  },
};
