import { adam } from 'gradstep/tfjs';
import type { Bench, Case } from '../bench';
import { showVariables } from '../data';
import { adamBytes } from '../ours';
import type { TfjsBackend } from '../peers/tfjs';
import { unchecked } from '../sides';

// What a program of TensorFlow.js's gains by the optimizer alone: both sides step its own variables on its own backend.

interface Model {
  readonly name: string;
  readonly shapes: readonly number[][];
  /** How much faster `applyGradients` is to be. */
  readonly goals: Readonly<Record<TfjsBackend, number>>;
}

const models: readonly Model[] = [
  { name: '4,194,304 parameters in one variable', shapes: [[2 ** 22]], goals: { cpu: 300, wasm: 9 } },
  {
    name: `${showVariables(100)} of 1,000`,
    shapes: Array.from({ length: 100 }, () => [1000]),
    goals: { cpu: 250, wasm: 130 },
  },
  { name: '784-256-10', shapes: [[784, 256], [256], [256, 10], [10]], goals: { cpu: 500, wasm: 20 } },
];

async function applyGradients(bench: Bench, backend: TfjsBackend, { name, shapes, goals }: Model): Promise<void> {
  const parameters = shapes.reduce((sum, shape) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
  const label = backend === 'wasm' ? 'WASM' : 'CPU';
  await bench.contest(
    `tfjs applyGradients with Adam on ${label}, ${name}`,
    async () => {
      const tfjs = await bench.peers.tfjs();
      if (tfjs === null) return [];
      return [
        await tfjs.step(backend, shapes, adam({ epsilon: 1e-8 }), 'gradstep/tfjs'),
        await tfjs.step(backend, shapes, tfjs.ownAdam(), `TensorFlow.js ${label}`),
      ];
    },
    {
      work: { parameters, bytes: adamBytes(parameters) },
      goals: [{ against: `TensorFlow.js ${label}`, atLeast: goals[backend] }],
      // Of the displacement after three steps, 3e-3. TensorFlow.js keeps the powers of beta in single precision.
      tolerance: 1e-5,
      scale: 1,
      patience: 4,
    },
  );
  await bench.contest(
    `tfjs global clipping on ${label}, ${name}`,
    async () => {
      const tfjs = await bench.peers.tfjs();
      if (tfjs === null) return [];
      const globalClipNorm = 0.25 * Math.sqrt(parameters); // so that clipping has something to do
      const clipped = await tfjs.step(backend, shapes, adam({ epsilon: 1e-8, globalClipNorm }), 'with clipping');
      const plain = await tfjs.step(backend, shapes, adam({ epsilon: 1e-8 }), 'without');
      return [unchecked(clipped), unchecked(plain)];
    },
    {
      work: { parameters, bytes: adamBytes(parameters) + 4 * parameters },
      goals: [{ against: 'without', atMost: 1.25 }],
    },
  );
}

export const tfjs: Case = {
  name: 'tfjs',
  about: "gradstep's Adam inside TensorFlow.js against its own, on its CPU and WASM backends",
  usesPackages: true,
  async run(bench) {
    for (const backend of ['cpu', 'wasm'] as const) {
      for (const model of models) await applyGradients(bench, backend, model);
    }
  },
};
