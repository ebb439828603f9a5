import { checkBoolean } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

export interface GeluOptions {
  /** Whether to take the approximation by a tanh that the paper gives. Default: false. */
  approximate?: boolean;
}

const geluNames: NamesOf<GeluOptions> = { approximate: true };

/**
 * y = x P(x), element by element, P(x) = (1 + erf(x / √2)) / 2 being the probability that a standard normal number is less
 * than x; dy/dx = P(x) + x exp(-x²/2) / √(2π). Its approximation is x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number, or for a wrong kind of option.
 * Source: `tf.nn.gelu`, which TensorFlow has since 2.4; Hendrycks and Gimpel 2016.
 */
export function gelu(x: TensorLike, options: GeluOptions = {}): Tensor {
  checkOptions('options', options, geluNames);
  const { approximate = false } = options;
  checkBoolean('approximate', approximate);
  const input = toTensor('x', x);
  const [forward, gradient] = approximate
    ? (['geluTanh', 'geluTanhGradient'] as const)
    : (['gelu', 'geluGradient'] as const);
  return record([input], unary(forward, input), (dy) => [binary(gradient, input, dy)]);
}
