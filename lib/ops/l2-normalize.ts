import { toTensor, type TensorLike } from '../autodiff/tape';
import { checkOptions, type NamesOf } from '../options';
import { normalizeAxes, sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { checkEpsilon } from './normalized';
import { normalizedRows } from './row-norm';
import { transpose } from './transpose';

export interface L2NormalizeOptions {
  /** The least that the sum of squares counts as. Default: 1e-12. */
  epsilon?: number;
}

const names: NamesOf<L2NormalizeOptions> = { epsilon: true };

/**
 * y = x / √max(Σ x², ε), the sum running over the given dimensions, in double precision.
 *
 * Gradient, with r = 1 / √max(Σ x², ε): dx = r (dy - y Σ dy y); r dy where Σ x² is below ε.
 *
 * @param axes one dimension or several; negative ones count from the end. Default: all.
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.nn.l2_normalize`.
 */
export function l2Normalize(
  x: TensorLike,
  axes?: number | readonly number[],
  options: L2NormalizeOptions = {},
): Tensor {
  checkOptions('options', options, names);
  const { epsilon = 1e-12 } = options;
  checkEpsilon(epsilon);
  const input = toTensor('x', x);
  const { shape } = input;
  const positions = normalizeAxes('axes', axes, shape.length);
  const columns = sizeOf(positions.map((d) => shape[d]!));
  const kept = shape.map((_, d) => d).filter((d) => !positions.includes(d));
  const order = [...kept, ...positions];
  if (order.every((d, i) => d === i)) return normalizedRows(input, 'l2', { columns, epsilon });
  const last = normalizedRows(transpose(input, order), 'l2', { columns, epsilon });
  return transpose(
    last,
    shape.map((_, d) => order.indexOf(d)),
  );
}
