import { numbers, weights } from '../data';
import { sampled, type Side } from '../sides';
import type { ConvShape } from './convolutions';
import { importPeer } from './installed';

// The part of TensorFlow.js that the benches use; its own types are installed too late for the compiler.
interface Tensor {
  dataSync(): Float32Array;
  dispose(): void;
}
interface Variable extends Tensor {
  readonly name: string;
}
/** An optimizer of TensorFlow.js's, or one that stands in for it. */
export interface Optimizer {
  applyGradients(gradients: never): void; // each has a type of its own for tensors
  dispose(): void;
}
interface Library {
  readonly version_core: string;
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array, shape: number[]): Tensor;
  variable(initial: Tensor): Variable;
  oneHot(indices: Int32Array, depth: number): Tensor;
  cast(x: Tensor, dtype: string): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  conv2d(x: Tensor, filter: Tensor, strides: number, padding: number): Tensor;
  sqrt(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  sum(x: Tensor): Tensor;
  addN(terms: Tensor[]): Tensor;
  maximum(a: Tensor, b: number): Tensor;
  div(a: number, b: Tensor): Tensor;
  tidy<T>(work: () => T): T;
  variableGrads(loss: () => Tensor, variables: Variable[]): { value: Tensor; grads: Record<string, Tensor> };
  readonly losses: { softmaxCrossEntropy(labels: Tensor, logits: Tensor): Tensor };
  readonly train: { adam(learningRate: number, beta1?: number, beta2?: number, epsilon?: number): Optimizer };
}

export type TfjsBackend = 'wasm' | 'cpu';

export async function loadTfjs(): Promise<Tfjs | null> {
  const tf = (await importPeer('@tensorflow/tfjs')) as Library | null;
  if (tf === null) return null;
  await importPeer('@tensorflow/tfjs-backend-wasm');
  tf.enableProdMode(); // fewer checks, and no advice on the console
  return new Tfjs(tf);
}

/** TensorFlow.js; its WASM backend chooses SIMD by itself, and one thread in Node. */
export class Tfjs {
  constructor(private readonly tf: Library) {}

  get version(): string {
    return this.tf.version_core;
  }

  /** Its namespace. */
  get library(): unknown {
    return this.tf;
  }

  /** One Adam step over one variable of n elements. */
  async adam(backend: TfjsBackend, n: number): Promise<Side> {
    await this.tf.setBackend(backend); // its optimizers make tensors
    return this.step(backend, [[n]], this.ownAdam());
  }

  ownAdam(): Optimizer {
    return this.tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  }

  /** One step of an optimizer over variables of these shapes; `name` where it is not TensorFlow.js's own. */
  async step(backend: TfjsBackend, shapes: readonly number[][], optimizer: Optimizer, name?: string): Promise<Side> {
    const { tf } = this;
    await tf.setBackend(backend);
    const sizes = shapes.map((shape) => shape.reduce((size, dim) => size * dim, 1));
    const variables = shapes.map((shape, i) => tf.variable(tf.tensor(weights(sizes[i]!, 7, 2 ** -6).slice(), shape)));
    const gradients = shapes.map((shape, i) => tf.tensor(numbers(sizes[i]!, 5, 1).slice(), shape));
    const named = Object.fromEntries(variables.map((variable, i) => [variable.name, gradients[i]!]));
    const side = this.side(backend, () => optimizer.applyGradients(named as never), {
      result: () => sampled(variables.at(-1)!.dataSync()),
      dispose: () => [...variables, ...gradients, optimizer].forEach((thing) => thing.dispose()),
    });
    return name === undefined ? side : { ...side, name };
  }

  /** Forward, backward, clip by global norm, Adam: 784-256-10, batch 64. */
  async mnist(backend: TfjsBackend): Promise<Side> {
    const { tf } = this;
    await tf.setBackend(backend);
    const x = tf.tensor(numbers(64 * 784, 11, 1).slice(), [64, 784]);
    const classes = Int32Array.from({ length: 64 }, (_, i) => i % 10);
    const y = tf.cast(tf.oneHot(classes, 10), 'float32');
    const w1 = tf.variable(tf.tensor(weights(784 * 256, 7, 0.125).slice(), [784, 256]));
    const b1 = tf.variable(tf.tensor(new Float32Array(256), [256]));
    const w2 = tf.variable(tf.tensor(weights(256 * 10, 7, 0.25).slice(), [256, 10]));
    const b2 = tf.variable(tf.tensor(new Float32Array(10), [10]));
    const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
    const variables = [w1, b1, w2, b2];
    const logits = (): Tensor => tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(x, w1), b1)), w2), b2);
    const step = (): number =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => tf.losses.softmaxCrossEntropy(y, logits()), variables);
        const norm = tf.sqrt(tf.addN(Object.values(grads).map((g) => tf.sum(tf.square(g)))));
        const factor = tf.div(1, tf.maximum(norm, 1));
        const clipped = Object.entries(grads).map(([name, g]) => [name, tf.mul(g, factor)] as const);
        optimizer.applyGradients(Object.fromEntries(clipped) as never);
        return value.dataSync()[0]!;
      });
    let losses: number[] = [];
    return this.side(backend, () => void (losses = [...losses.slice(-2), step()]), {
      result: () => losses,
      dispose: () => [x, y, ...variables, optimizer].forEach((thing) => thing.dispose()),
    });
  }

  /** A convolution. */
  async conv(backend: TfjsBackend, shape: ConvShape, images: number): Promise<Side> {
    const { tf } = this;
    const { size, channels, outputs, window, stride, padding } = shape;
    await tf.setBackend(backend);
    const x = tf.tensor(weights(images * size * size * channels, 7, 1).slice(), [images, size, size, channels]);
    const filter = tf.tensor(weights(window * window * channels * outputs, 11, 1).slice(), [
      window,
      window,
      channels,
      outputs,
    ]);
    const run = (): Tensor => tf.conv2d(x, filter, stride, padding);
    return this.side(backend, () => run().dispose(), {
      result: () => {
        const y = run();
        const found = sampled(y.dataSync());
        y.dispose();
        return found;
      },
      dispose: () => [x, filter].forEach((tensor) => tensor.dispose()),
    });
  }

  private side(backend: TfjsBackend, work: () => void, rest: Pick<Side, 'result' | 'dispose'>): Side {
    return {
      name: `TensorFlow.js ${backend === 'wasm' ? 'WASM' : 'CPU'}`,
      prepare: async () => void (await this.tf.setBackend(backend)),
      turn: (calls) => {
        const start = performance.now();
        for (let i = 0; i < calls; i++) work();
        return (performance.now() - start) / 1000;
      },
      ...rest,
    };
  }
}
