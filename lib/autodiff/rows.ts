import { IndexedSlices } from '../tensor/indexed-slices';
import { sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { allocate } from './scope';
import { derived, operandOf } from './way-back';

/** All rows of all the given slices, in order; indices that occur in several stay repeated. */
export function concatenateRows(slices: readonly IndexedSlices[]): IndexedSlices {
  const [first] = slices;
  const count = slices.reduce((sum, { indices }) => sum + indices.length, 0);
  const size = slices.reduce((sum, { values }) => sum + values.size, 0);
  const values = allocate(first!.dtype, [count, ...first!.values.shape.slice(1)], size);
  const indices = kernels.concatenate(slices.map((slice) => slice.indices));
  let offset = 0;
  for (const slice of slices) {
    kernels.copy(values.operand.subarray(offset, offset + slice.values.size), operandOf(slice.values));
    offset += slice.values.size;
  }
  const inputs = slices.map((slice) => slice.values);
  return new IndexedSlices(
    derived(inputs, values, (dy) => partsOf(dy, inputs)),
    indices,
    first!.denseShape,
  );
}

// Rows one after the other, each tensor's as it has.
function partsOf(rows: Tensor, like: readonly Tensor[]): Tensor[] {
  let first = 0;
  return like.map((tensor) => {
    const from = first;
    first += tensor.shape[0]!;
    return gathered(
      rows,
      Int32Array.from({ length: first - from }, (_, i) => from + i),
    );
  });
}

/** The whole that sparse rows are of, as `IndexedSlices.toDense` makes it, with its way back. */
export function scattered({ values, indices, denseShape }: IndexedSlices): Tensor {
  const dense = allocate(values.dtype, denseShape!, sizeOf(denseShape!));
  const rows = denseShape![0]!;
  kernels.fill(dense.operand, 0);
  kernels.scatterAdd(dense.operand, operandOf(values), indices, rows, rows === 0 ? 0 : dense.size / rows, 1);
  return derived([values], dense, (dy) => [gathered(dy, indices)]);
}

/** Rows of `params`, with their way back. */
function gathered(params: Tensor, indices: Int32Array): Tensor {
  const [rows, ...row] = params.shape;
  const shape = [indices.length, ...row];
  const out = allocate(params.dtype, shape, sizeOf(shape));
  kernels.gather(out.operand, operandOf(params), indices, rows!, sizeOf(row));
  return derived([params], out, (dy) => [new IndexedSlices(dy, indices, params.shape)]);
}
