import { formatNumber, native } from '../native';
import { dtypes, type DType } from '../tensor/dtype';
import type { Tensor } from '../tensor/tensor';

/** The norm of all values of all tensors: √ Σ ‖tᵢ‖², with squares summed in double precision. */
export function normOf(values: readonly (Tensor | null)[]): number {
  return Math.sqrt(dtypes.reduce((sum, dtype) => sum + sumOfSquares(values, dtype), 0));
}

let table = new Float64Array(48);

function sumOfSquares(values: readonly (Tensor | null)[], dtype: DType): number {
  if (table.length < 3 * values.length) table = new Float64Array(6 * values.length);
  let end = 0;
  for (const tensor of values) {
    if (tensor?.dtype !== dtype) continue;
    table[end++] = tensor.memory.locate();
    table[end++] = tensor.size;
    table[end++] = tensor.factor;
  }
  return end === 0 ? 0 : native.sumOfSquaresAt(table, end / 3, formatNumber[dtype]);
}
