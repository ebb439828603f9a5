import { IndexedSlices } from '../tensor/indexed-slices';
import { allocate } from './scope';

/** All rows of all the given slices, in order; indices that occur in several stay repeated. */
export function concatenateRows(slices: readonly IndexedSlices[]): IndexedSlices {
  const [first] = slices;
  const count = slices.reduce((sum, { indices }) => sum + indices.length, 0);
  const size = slices.reduce((sum, { values }) => sum + values.size, 0);
  const values = allocate(first!.dtype, [count, ...first!.values.shape.slice(1)], size);
  const indices = new Int32Array(count);
  let row = 0;
  let offset = 0;
  for (const slice of slices) {
    values.raw.set(slice.values.data, offset);
    indices.set(slice.indices, row);
    row += slice.indices.length;
    offset += slice.values.size;
  }
  return new IndexedSlices(values, indices, first!.denseShape);
}
