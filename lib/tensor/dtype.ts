/** Element types of variables, of gradients and of all that is computed with: numbers. */
export type DType = 'float32' | 'float64';

/** Element types of tensors: numbers, whole numbers of 32 bits for indices and labels, and what is true or false. */
export type TensorDType = DType | 'int32' | 'bool';

/** All of them. */
export const dtypes: readonly DType[] = ['float32', 'float64'];

/** All that tensors have. */
export const tensorDTypes: readonly TensorDType[] = [...dtypes, 'int32', 'bool'];

export const isFloat = (dtype: TensorDType): dtype is DType => dtype === 'float32' || dtype === 'float64';

/** What tensors and variables are made of, over an ArrayBuffer or a SharedArrayBuffer. */
export type FloatArray = Float32Array | Float64Array;

interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  bool: Uint8Array;
}

/** The typed arrays that hold elements of a type; those of bool have 1 for true and 0 for false. */
export type ArrayOf<D extends TensorDType> = Arrays[D];

/** What any tensor is made of. */
export type TensorArray = ArrayOf<TensorDType>;

/** What state lies in: one class of typed array for each StateDType. */
export type StateMemory = FloatArray | Int32Array | BigInt64Array;

/** A number, or arrays of numbers nested to any depth, all rows of one level equally long. */
export type Nested = number | readonly Nested[];

/** The same of what is true or false. */
export type NestedBooleans = boolean | readonly NestedBooleans[];

/** An element of a tensor, as JavaScript has it. */
export type ElementOf<D extends TensorDType> = { float32: number; float64: number; int32: number; bool: boolean }[D];

/** All elements of a tensor, nested as its shape is. */
export type NestedOf<D extends TensorDType> = {
  float32: Nested;
  float64: Nested;
  int32: Nested;
  bool: NestedBooleans;
}[D];

/** The nearest number that the dtype can hold. */
export function rounded(value: number, dtype: TensorDType): number {
  return dtype === 'float32' ? Math.fround(value) : value;
}
