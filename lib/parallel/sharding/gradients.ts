import { IndexedSlices, internals, type FloatArray, type Gradient, type Tensor } from 'gradstep';
import type { Part } from './parts';

const { alias, pieceOf, timesFactor } = internals;

/** The part of a gradient that this rank steps with. */
export function ownGradient(gradient: Gradient, part: Part): Gradient {
  return gradient instanceof IndexedSlices ? ownRows(gradient, part) : ownElements(gradient, part);
}

/** In the memory of the whole. */
function ownElements({ raw, factor, dtype }: Tensor, { range: [begin, end], own }: Part): Tensor {
  return withFactor(pieceOf(raw, begin, end), dtype, own.shape, factor);
}

function withFactor(array: FloatArray, dtype: Tensor['dtype'], shape: readonly number[], factor: number): Tensor {
  const values = alias(array, dtype, shape);
  return factor === 1 ? values : timesFactor(values, factor);
}

/**
 * The rows that are here, in the order in which they came. Where the part starts or ends within a row, its rows are pieces of
 * those of the whole.
 */
function ownRows({ values, indices }: IndexedSlices, { range: [begin, end], row, own, whole }: Part): IndexedSlices {
  const { raw, factor, dtype } = values;
  const rowOfWhole = whole.size / Math.max(1, whole.shape[0] ?? 1);
  const places: { readonly from: number; readonly to: number; readonly length: number }[] = [];
  let elements = 0;
  indices.forEach((index, i) => {
    const start = index * rowOfWhole;
    const first = Math.max(begin, start);
    const length = Math.min(end, start + rowOfWhole) - first;
    if (length <= 0) return;
    places.push({ from: i * rowOfWhole + first - start, to: first - begin, length });
    elements += length;
  });
  const count = row === 0 ? 0 : elements / row;
  const ownValues = dtype === 'float32' ? new Float32Array(elements) : new Float64Array(elements);
  const ownIndices = new Int32Array(count);
  let at = 0;
  for (const { from, to, length } of places) {
    ownValues.set(pieceOf(raw, from, from + length), at);
    for (let k = 0; k < length; k += row) ownIndices[(at + k) / row] = (to + k) / row;
    at += length;
  }
  return new IndexedSlices(withFactor(ownValues, dtype, [count, row], factor), ownIndices, own.shape);
}
