import {
  AdamOptimizer,
  AdamWOptimizer,
  compileStep,
  createGlobalStep,
  MomentumOptimizer,
  ops,
  RandomGenerator,
  type Indices,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { leNet } from '../examples/cnn/model';
import { Gpt } from '../examples/gpt/model';
import { numbers, weights } from './data';
import { resNet18 } from './resnet';

/** Values of this shape in ±scale / 2. */
type Values = (shape: readonly number[], scale: number) => ArrayLike<number>;

const periodic: Values = (shape, scale) =>
  weights(
    shape.reduce((product, dim) => product * dim, 1),
    7,
    scale,
  );

/** Random numbers that bench/peers/gpt_losses.py makes too, to the last bit: the scale is a power of two. */
export function drawnValues(seed: number): Values {
  const generator = new RandomGenerator(seed);
  return (shape, scale) => generator.uniform(shape, { low: -scale / 2, high: scale / 2 }).data;
}

/**
 * Start values that every peer can make for itself: ±√(3 / fan in), the scale rounded down to a power of two; 1 for gains, 0
 * for offsets.
 */
function start(parameters: readonly Variable[], values = periodic): void {
  for (const { name, shape, data } of parameters) {
    if (shape.length < 2) {
      data.fill(name.endsWith('gamma') ? 1 : 0);
      continue;
    }
    const fanIn = shape.slice(0, -1).reduce((product, dim) => product * dim, 1);
    data.set(values(shape, 2 ** Math.floor(Math.log2(Math.sqrt(12 / fanIn)))));
  }
}

interface Model {
  call(x: Tensor, options: { training: boolean }): Tensor;
  parameters(): Variable[];
}

/** A compiled step that learns to tell ten kinds of images. @returns the loss. */
function classifierStep(model: Model, shape: readonly number[], optimizer: Optimizer): () => number {
  start(model.parameters());
  const x = numbers(
    shape.reduce((product, dim) => product * dim, 1),
    11,
    1,
  );
  const labels = Int32Array.from({ length: shape[0]! }, (_, i) => i % 10);
  const step = compileStep({
    inputs: { x: { shape }, labels: { shape: [shape[0]!], dtype: 'int32' } },
    loss: (inputs) => {
      const logits = model.call(inputs.x, { training: true });
      return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(inputs.labels, logits));
    },
    optimizer,
    globalStep: createGlobalStep(),
  });
  return () => step.runSync({ x, labels }).loss;
}

/** What makes the steps of an optimizer: itself, or one around it. */
export type Around = (optimizer: Optimizer) => Optimizer;
const itself: Around = (optimizer) => optimizer;

/** LeNet-5 with 32 and 64 filters and 512 hidden units, a batch of 64 images. */
export const leNetStep = (around: Around = itself): (() => number) =>
  classifierStep(leNet([32, 64], 512, 0), [64, 28, 28, 1], around(new AdamOptimizer()));

/** ResNet-18, a batch of 32 images of 32 x 32 pixels. */
export const resNetStep = (): (() => number) =>
  classifierStep(resNet18(), [32, 32, 32, 3], new MomentumOptimizer({ learningRate: 0.01, momentum: 0.9 }));

/** A transformer of 4 layers, 128 features, 4 heads; 8 pieces of 128 tokens. */
export function gptStep({
  values = periodic,
  around = itself,
}: { values?: typeof periodic; around?: Around } = {}): () => number {
  const [batch, context, vocabulary] = [8, 128, 96];
  const model = new Gpt({ vocabulary, context, layers: 4, features: 128, heads: 4 });
  start(model.parameters(), values);
  const now = Int32Array.from({ length: batch * context }, (_, i) => (i * 37 + ((i * i) % 11)) % vocabulary);
  const next = Int32Array.from(now, (_, i) => now[(i + 1) % now.length]!);
  const shape = [batch, context];
  const step = compileStep({
    inputs: { now: { shape, dtype: 'int32' }, next: { shape, dtype: 'int32' } },
    loss: (inputs: { now: Indices; next: Indices }) => model.loss(inputs.now, inputs.next, { training: true }),
    optimizer: around(new AdamWOptimizer({ learningRate: 1e-3, weightDecay: 0.01 })),
    globalStep: createGlobalStep(),
    clip: { globalNorm: 1 },
  });
  return () => step.runSync({ now, next }).loss;
}
