/** Element types of tensors and variables. */
export type DType = 'float32' | 'float64';

/** All of them. */
export const dtypes: readonly DType[] = ['float32', 'float64'];

/** What tensors and variables are made of, over an ArrayBuffer or a SharedArrayBuffer. */
export type FloatArray = Float32Array | Float64Array;

/** What state lies in: one class of typed array for each StateDType. */
export type StateMemory = FloatArray | Int32Array | BigInt64Array;

/** A number, or arrays of numbers nested to any depth, all rows of one level equally long. */
export type Nested = number | readonly Nested[];

/** The nearest number that the dtype can hold. */
export function rounded(value: number, dtype: DType): number {
  return dtype === 'float32' ? Math.fround(value) : value;
}
