import { formatNumber, native } from '../native';
import { dtypes, type DType } from '../tensor/dtype';
import type { Tensor } from '../tensor/tensor';

/** The norm of all values of all tensors: √ Σ ‖tᵢ‖², with squares summed in double precision. */
export function normOf(values: readonly (Tensor | null)[]): number {
  let sum = 0;
  let left = values.length;
  for (const dtype of dtypes) {
    if (left === 0) break;
    const count = locate(values, dtype);
    if (count > 0) sum += native.sumOfSquaresAt(table, count, formatNumber[dtype]);
    left -= count;
  }
  return Math.sqrt(sum);
}

let table = new Float64Array(48);

/** Writes into the table where those of this dtype are. Returns how many. */
function locate(values: readonly (Tensor | null)[], dtype: DType): number {
  if (table.length < 3 * values.length) table = new Float64Array(6 * values.length);
  let end = 0;
  for (const tensor of values) {
    if (tensor?.dtype !== dtype) continue;
    table[end++] = tensor.memory.locate();
    table[end++] = tensor.size;
    table[end++] = tensor.factor;
  }
  return end / 3;
}
