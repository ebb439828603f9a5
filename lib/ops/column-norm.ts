import { allocate } from '../autodiff/scope';
import { record } from '../autodiff/tape';
import type { Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { bits, normalizedGradients, present } from './normalized';

/** x as [outer, reduced, inner]: for each outer index, each of the groups of the inner ones has one mean and variance. */
export interface ColumnNorm {
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly gamma?: Tensor | undefined;
  readonly beta?: Tensor | undefined;
}

/** What came of it; only y has a gradient. Mean and variance are [outer, groups], the variance of all elements. */
export interface ColumnNormalized {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export function normalizedColumns(x: Tensor, norm: ColumnNorm): ColumnNormalized {
  const { outer, reduced, inner, groups, epsilon, gamma, beta } = norm;
  const sizes = [outer, reduced, inner, groups];
  const y = allocate(x.dtype, x.shape, x.size);
  const [mean, variance] = [0, 1].map(() => allocate(x.dtype, [outer, groups], outer * groups)) as [Tensor, Tensor];
  kernels.task(
    'normalizeColumns',
    x.dtype,
    [y.operand, mean.operand, variance.operand, x.operand, gamma?.operand, beta?.operand],
    { writes: 3, option: bits(1, gamma, beta), sizes, numbers: [epsilon] },
  );
  record(present(x, gamma, beta), y, (dy, needed) =>
    normalizedGradients(x, gamma, beta, needed, (dx, dgamma, dbeta) => {
      kernels.task(
        'normalizeColumnsGradient',
        x.dtype,
        [
          dx.operand,
          dgamma?.operand,
          dbeta?.operand,
          dy.operand,
          x.operand,
          mean.operand,
          variance.operand,
          gamma?.operand,
        ],
        { writes: 3, option: bits(1, gamma, dgamma, dbeta), sizes, numbers: [epsilon] },
      );
    }),
  );
  return { y, mean, variance };
}
