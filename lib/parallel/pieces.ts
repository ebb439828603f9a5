import { IndexedSlices, internals, type FloatArray, type Gradient, type Variable } from 'gradstep';

const { alias, timesFactor } = internals;

// Gradients as ranks send them: arrays of values and of indices.

/** What there is for a variable. */
export const enum Has {
  Nothing,
  All,
  Rows,
}

/** The gradient that these arrays are. */
export function gradientOf(
  has: Has,
  values: FloatArray,
  indices: Int32Array,
  { dtype, shape }: Variable,
): Gradient | null {
  if (has === Has.Nothing) return null;
  if (has === Has.All) return alias(values, dtype, shape);
  return new IndexedSlices(alias(values, dtype, [indices.length, ...shape.slice(1)]), indices, shape);
}

/** The arrays of a gradient, its factor multiplied in; empty ones where there are none. */
export function partsOf(gradient: Gradient | null, variable: Variable): [FloatArray, Int32Array] {
  if (gradient instanceof IndexedSlices) return [gradient.values.data, gradient.indices];
  return [gradient?.data ?? newArray(variable, 0), new Int32Array(0)];
}

export function newArray({ dtype }: Variable, length: number): FloatArray {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** A gradient times a factor, which is all that averaging takes. */
export function scaledBy(factor: number, gradient: Gradient): Gradient {
  if (!(gradient instanceof IndexedSlices)) return timesFactor(gradient, factor);
  return new IndexedSlices(timesFactor(gradient.values, factor), gradient.indices, gradient.denseShape);
}
