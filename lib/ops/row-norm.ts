import { allocate } from '../autodiff/scope';
import { record } from '../autodiff/tape';
import type { Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { bits, normalizedGradients, present } from './normalized';

/** What rows are divided by; the number is native code's. */
export const rowNorm = { layer: 0, rms: 1, l2: 2 } as const;

export interface RowNormParameters {
  /** Of a row's size; x is a number of such rows. */
  readonly columns: number;
  readonly epsilon: number;
  readonly gamma?: Tensor | undefined;
  readonly beta?: Tensor | undefined;
}

/** x's rows normalised, times gamma, plus beta: forward and back in one pass over each row. */
export function normalizedRows(x: Tensor, kind: keyof typeof rowNorm, parameters: RowNormParameters): Tensor {
  const { columns, epsilon, gamma, beta } = parameters;
  const rows = columns === 0 ? 0 : x.size / columns;
  const y = allocate(x.dtype, x.shape, x.size);
  const [mean, inverse] = [allocate(x.dtype, [rows], rows), allocate(x.dtype, [rows], rows)];
  if (x.size > 0) {
    kernels.task(
      'normalizeRows',
      x.dtype,
      [y.operand, mean.operand, inverse.operand, x.operand, gamma?.operand, beta?.operand],
      { writes: 3, option: rowNorm[kind] + bits(4, gamma, beta), sizes: [rows, columns], numbers: [epsilon] },
    );
  }
  return record(present(x, gamma, beta), y, (dy, needed) =>
    normalizedGradients(x, gamma, beta, needed, (dx, dgamma, dbeta) => {
      kernels.task(
        'normalizeRowsGradient',
        x.dtype,
        [
          dx.operand,
          dgamma?.operand,
          dbeta?.operand,
          dy.operand,
          x.operand,
          mean.operand,
          inverse.operand,
          gamma?.operand,
        ],
        { writes: 3, option: rowNorm[kind] + bits(4, gamma, dgamma, dbeta), sizes: [rows, columns] },
      );
    }),
  );
}
