import { IndexedSlices } from '../tensor/indexed-slices';
import { kernels } from '../tensor/trace';
import { allocate } from './scope';

/** All rows of all the given slices, in order; indices that occur in several stay repeated. */
export function concatenateRows(slices: readonly IndexedSlices[]): IndexedSlices {
  const [first] = slices;
  const count = slices.reduce((sum, { indices }) => sum + indices.length, 0);
  const size = slices.reduce((sum, { values }) => sum + values.size, 0);
  const values = allocate(first!.dtype, [count, ...first!.values.shape.slice(1)], size);
  const indices = kernels.concatenate(slices.map((slice) => slice.indices));
  let offset = 0;
  for (const slice of slices) {
    kernels.copy(values.operand.subarray(offset, offset + slice.values.size), slice.values.operand);
    offset += slice.values.size;
  }
  return new IndexedSlices(values, indices, first!.denseShape);
}
