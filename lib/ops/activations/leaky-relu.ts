import { checkNumber } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import { binary, binaryWith } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

export interface LeakyReluOptions {
  /** The slope where x <= 0. Default: 0.2. */
  alpha?: number;
}

const leakyReluNames: NamesOf<LeakyReluOptions> = { alpha: true };

/**
 * y = x where x > 0, else alpha x, element by element; dy/dx = 1 where x > 0, else alpha (also at 0 itself).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number, or alpha is no number.
 * Source: `tf.nn.leaky_relu`.
 */
export function leakyRelu(x: TensorLike, options: LeakyReluOptions = {}): Tensor {
  checkOptions('options', options, leakyReluNames);
  const { alpha = 0.2 } = options;
  checkNumber('alpha', alpha);
  const input = toTensor('x', x);
  return record([input], binaryWith('prelu', input, alpha), (dy) => [
    binary('multiply', binaryWith('preluSlope', input, alpha), dy),
  ]);
}
