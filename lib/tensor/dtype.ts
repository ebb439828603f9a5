/** Element types of tensors and variables. */
export type DType = 'float32' | 'float64';

/** What tensors and variables are made of, over an ArrayBuffer or a SharedArrayBuffer. */
export type FloatArray = Float32Array | Float64Array;

/** A number, or arrays of numbers nested to any depth, all rows of one level equally long. */
export type Nested = number | readonly Nested[];

export function isFloatArray(value: unknown): value is FloatArray {
  return value instanceof Float32Array || value instanceof Float64Array;
}

export function dtypeOf(array: FloatArray): DType {
  return array instanceof Float32Array ? 'float32' : 'float64';
}

export function newArray(dtype: DType, length: number): FloatArray {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** The nearest number that the dtype can hold. */
export function rounded(value: number, dtype: DType): number {
  return dtype === 'float32' ? Math.fround(value) : value;
}

export const bytesPerElement: Readonly<Record<DType, number>> = { float32: 4, float64: 8 };

export function arrayOver(dtype: DType, buffer: SharedArrayBuffer, offset: number, length: number): FloatArray {
  return dtype === 'float32' ? new Float32Array(buffer, offset, length) : new Float64Array(buffer, offset, length);
}

/** A zeroed typed array over fresh SharedArrayBuffer memory: it neither moves nor goes while it is referenced. */
export function sharedArray(dtype: DType, length: number): FloatArray {
  return arrayOver(dtype, new SharedArrayBuffer(length * bytesPerElement[dtype]), 0, length);
}

/** Whether the array's memory stays where it is for as long as the array keeps its length. */
export function isFixed({ buffer }: FloatArray): boolean {
  const { resizable, growable } = buffer as ArrayBufferLike & { resizable?: boolean; growable?: boolean };
  return resizable !== true && growable !== true;
}
