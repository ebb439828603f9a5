import { ops, tidy, variable, type Tensor, type Variable } from 'gradstep';
import { batches, ink, type Dataset } from './data';
import type { Random } from './random';

/** One layer: y = x kernel + bias. */
interface Dense {
  readonly kernel: Variable;
  readonly bias: Variable;
}

/** A multilayer perceptron: dense layers with a rectifier between each two. */
export class Model {
  private constructor(private readonly layers: readonly Dense[]) {}

  /** @param sizes the number of inputs, the sizes of the hidden layers, the number of classes. */
  static create(sizes: readonly number[], random: Random): Model {
    return new Model(sizes.slice(1).map((outputs, i) => createDense(`dense_${i + 1}`, sizes[i]!, outputs, random)));
  }

  /** The model of these variables, in the order of `variables()`. */
  static over(variables: readonly Variable[]): Model {
    const kernels = variables.filter((_, i) => i % 2 === 0);
    return new Model(kernels.map((kernel, i) => ({ kernel, bias: variables[2 * i + 1]! })));
  }

  variables(): Variable[] {
    return this.layers.flatMap(({ kernel, bias }) => [kernel, bias]);
  }

  /** The mean cross entropy of these images. */
  loss({ images, labels }: Dataset, rows: Int32Array): Tensor {
    const logits = this.logits(images, rows);
    const rightClasses = rows.map((row) => labels[row]!);
    return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(rightClasses, logits));
  }

  /** How many images of the dataset get their largest logit at their label. */
  countRight({ images, labels, count }: Dataset): number {
    let right = 0;
    const all = Int32Array.from({ length: count }, (_, row) => row);
    for (const rows of batches(all, 1000)) {
      const guesses = tidy(() => indicesOfLargest(this.logits(images, rows)));
      rows.forEach((row, i) => (right += guesses[i] === labels[row] ? 1 : 0));
    }
    return right;
  }

  /** [rows, classes] */
  private logits(images: Variable, rows: Int32Array): Tensor {
    const pixels = ops.mul(ops.gather(images, rows), 1 / ink);
    return this.layers.reduce((x, { kernel, bias }, i) => {
      const layer = i < this.layers.length - 1 ? ops.reluLayer : ops.xwPlusB;
      return layer(x, kernel, bias);
    }, pixels);
  }
}

/**
 * The kernel uniform in ±√(6 / (inputs + outputs)), the bias 0: the variances of activations and gradients start out
 * alike in all layers.
 *
 * Source: Glorot & Bengio 2010. Its only function is √, which every machine rounds alike.
 */
function createDense(name: string, inputs: number, outputs: number, random: Random): Dense {
  const limit = Math.sqrt(6 / (inputs + outputs));
  const initial = Float32Array.from({ length: inputs * outputs }, () => random.uniform(-limit, limit));
  return {
    kernel: variable(initial, { shape: [inputs, outputs], name: `${name}/kernel` }),
    bias: variable(new Float32Array(outputs), { name: `${name}/bias` }),
  };
}

function indicesOfLargest({ data, shape }: Tensor): number[] {
  const [rows = 0, columns = 0] = shape;
  return Array.from({ length: rows }, (_, row) => {
    const values = data.subarray(row * columns, (row + 1) * columns);
    return values.indexOf(Math.max(...values));
  });
}
