import type { Tensor } from '../tensor/tensor';
import { layer } from './layer';
import type { TensorLike } from '../autodiff/tape';

/**
 * A linear layer, y = x w + b: `add(matMul(x, weights), biases)` in one pass, bit for bit the same.
 *
 * With G the gradient of y, the gradients are G wᵀ of x, xᵀ G of the weights, and the sum of G's rows of the biases.
 *
 * @param x [rows, inputs]
 * @param weights [inputs, outputs]
 * @param biases [outputs]
 * @returns [rows, outputs]
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not fit.
 * Source: `tf.nn.xw_plus_b`.
 */
export function xwPlusB(x: TensorLike, weights: TensorLike, biases: TensorLike): Tensor {
  return layer(x, weights, biases, false);
}
