import { checkDType, checkTensorDType, shown } from '../checks';
import { alignedArray, heldBy, isFloatArray, lengthOf } from './arrays';
import {
  isFloat,
  type ArrayOf,
  type DType,
  type FloatArray,
  type Nested,
  type NestedBooleans,
  type TensorArray,
  type TensorDType,
} from './dtype';
import { checkShape, firstOf, flatten, frozen, showShape, sizeOf, type Shape } from './shape';

// What callers give as values: numbers, booleans or arrays of them become an array of the library's own.

/** A fresh array, and what it holds. */
export interface Given<D extends TensorDType> {
  readonly array: ArrayOf<D>;
  readonly shape: Shape;
  readonly dtype: D;
}

interface Flat {
  readonly shape: Shape;
  readonly numbers: ArrayLike<number>;
}

/** The values of a tensor of any type: see `tensor` for what they may be. */
export function valuesAndShape(
  name: string,
  values: Nested | NestedBooleans | TensorArray,
  shape: Shape | undefined,
  dtype: TensorDType | undefined,
): Given<TensorDType> {
  if (shape !== undefined) checkShape('shape', shape);
  if (dtype !== undefined) checkTensorDType('dtype', dtype);
  const held = heldBy(values);
  if (held === 'bool' && dtype === undefined) {
    throw new TypeError(`${name} is a Uint8Array: dtype must say what it holds, 'bool' for one`);
  }
  const type = dtype ?? held ?? (typeof firstOf(values) === 'boolean' ? 'bool' : 'float32');
  if (type === 'int32') return given(name, int32sOf(name, values), shape, type, alignedArray);
  if (type === 'bool') return given(name, booleansOf(name, values), shape, type, alignedArray);
  const isOther = held !== undefined && !isFloat(held);
  const flat = isOther ? listOf(values as TensorArray) : numbersOf(name, values as Nested | FloatArray);
  return given(name, flat, shape, type, alignedArray);
}

/** The same where only floats will do, in an array that `allocate` makes. */
export function floatsAndShape(
  name: string,
  values: Nested | FloatArray,
  shape: Shape | undefined,
  dtype: DType | undefined,
  allocate: (dtype: DType, length: number) => FloatArray = alignedArray,
): Given<DType> {
  if (shape !== undefined) checkShape('shape', shape);
  if (dtype !== undefined) checkDType('dtype', dtype);
  const flat = numbersOf(name, values);
  const held = heldBy(values);
  return given(name, flat, shape, dtype ?? (held === 'float64' ? held : 'float32'), allocate);
}

function given<D extends TensorDType>(
  name: string,
  flat: Flat,
  shape: Shape | undefined,
  dtype: D,
  allocate: (dtype: D, length: number) => ArrayOf<D>,
): Given<D> {
  const count = sizeOf(flat.shape);
  const finalShape = frozen(shape ?? flat.shape);
  if (sizeOf(finalShape) !== count) {
    throw new RangeError(`${name} has ${count} elements, shape ${showShape(finalShape)} needs ${sizeOf(finalShape)}`);
  }
  const array = allocate(dtype, count);
  array.set(flat.numbers);
  return { array, shape: finalShape, dtype };
}

const listOf = (array: TensorArray): Flat => ({ shape: [lengthOf(array)], numbers: array });

function numbersOf(name: string, values: Nested | FloatArray): Flat {
  if (isFloatArray(values)) return listOf(values);
  if (typeof values !== 'number' && !Array.isArray(values)) {
    const hint = typeof values === 'function' ? ': an initializer gives them for a shape, initializer(shape)' : '';
    throw new TypeError(`${name} must be numbers or a Float32Array or Float64Array, got ${shown(values)}${hint}`);
  }
  return flatten(name, values, 'numbers', (value) => typeof value === 'number');
}

function int32sOf(name: string, values: Nested | NestedBooleans | TensorArray): Flat {
  const held = heldBy(values);
  if (held === 'int32') return listOf(values as Int32Array);
  const flat =
    held === undefined
      ? flatten(name, nested(name, values), 'numbers', (value) => typeof value === 'number')
      : listOf(values as TensorArray);
  const stray = Array.prototype.findIndex.call(flat.numbers, (value: number) => value !== (value | 0));
  if (stray < 0) return flat;
  throw new RangeError(`${name} must hold whole numbers of 32 bits, got ${shown(flat.numbers[stray])}`);
}

function booleansOf(name: string, values: Nested | NestedBooleans | TensorArray): Flat {
  const isElement = (value: unknown): boolean => typeof value === 'boolean' || typeof value === 'number';
  const flat =
    heldBy(values) === undefined
      ? flatten(name, nested(name, values), 'booleans', isElement)
      : listOf(values as TensorArray);
  const stray = Array.prototype.findIndex.call(flat.numbers, (value: number) => value !== 0 && value !== 1);
  if (stray < 0) return flat;
  throw new RangeError(`${name} must hold booleans, or 0 and 1, got ${shown(flat.numbers[stray])}`);
}

function nested(name: string, values: unknown): Nested | NestedBooleans {
  if (typeof values === 'number' || typeof values === 'boolean' || Array.isArray(values)) return values as Nested;
  throw new TypeError(`${name} must be numbers, booleans or a typed array, got ${shown(values)}`);
}
