import { formatNumber, native } from '../native';
import { endLoan, lend } from '../step/loan';
import { dtypes, type DType } from '../tensor/dtype';
import { factorOf, memoryOf, type Tensor } from '../tensor/tensor';

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

/** The same off the event loop. */
export async function normOfAsync(values: readonly (Tensor | null)[]): Promise<number> {
  const sums = await sumsOfSquaresAsync(values.filter((tensor) => tensor !== null));
  return Math.sqrt(sums.reduce((sum, own) => sum + own, 0));
}

/** The sums of squares of the tensors of each dtype, off the event loop. */
export async function sumsOfSquaresAsync(tensors: readonly Tensor[]): Promise<number[]> {
  const loans: Tensor[] = [];
  try {
    for (const tensor of tensors) loans.push(lend(tensor));
    const sums = dtypes.map((dtype) => {
      const count = locate(loans, dtype);
      return count > 0 ? native.sumOfSquaresAtAsync(loans, table, count, formatNumber[dtype]) : Promise.resolve(0);
    });
    return await settled(sums);
  } finally {
    loans.forEach(endLoan);
  }
}

/** All results, or what the first failure was, but not before all are over. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

let table = new Float64Array(48);

/** Writes into the table where those of this dtype are. Returns how many. */
function locate(values: readonly (Tensor | null)[], dtype: DType): number {
  if (table.length < 3 * values.length) table = new Float64Array(6 * values.length);
  let end = 0;
  for (const tensor of values) {
    if (tensor === null) continue;
    const memory = memoryOf(tensor);
    if (memory.dtype !== dtype) continue;
    table[end++] = memory.locate();
    table[end++] = memory.length;
    table[end++] = factorOf(tensor);
  }
  return end / 3;
}
