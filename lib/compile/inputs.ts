import { checkTensorDType, shown } from '../checks';
import { bytesPerElement, classOf, heldBy, isInt32Array, lengthOf } from '../tensor/arrays';
import type { DType, TensorArray, TensorDType } from '../tensor/dtype';
import { toIndices } from '../tensor/indexed-slices';
import type { Indices } from '../tensor/indices';
import { checkShape, frozen, sameShape, showShape, sizeOf, type Shape } from '../tensor/shape';
import { isTensor, Tensor, type AnyTensor, type BoolTensor, type Int32Tensor } from '../tensor/tensor';
import type { Recorder } from './recorder';
import type { IndexList, Value } from './values';

/** An input of numbers. */
export interface FloatInput {
  /** The size of each dimension, in every run. */
  readonly shape: readonly number[];
  /** Default: `'float32'`. */
  readonly dtype?: DType;
}

/** An input of labels or indices of rows. */
export interface Int32Input {
  /** The size of each dimension, in every run. */
  readonly shape: readonly number[];
  readonly dtype: 'int32';
}

/** An input of what is true or false: a mask. */
export interface BoolInput {
  /** The size of each dimension, in every run. */
  readonly shape: readonly number[];
  readonly dtype: 'bool';
}

/** What each run is given, by name. */
export type Inputs = Readonly<Record<string, FloatInput | Int32Input | BoolInput>>;

/** What the function that is compiled gets for its inputs: tensors. */
export type TracedInputs<I extends Inputs> = {
  readonly [Name in keyof I]: I[Name] extends Int32Input ? Indices : I[Name] extends BoolInput ? BoolTensor : Tensor;
};

/** What a run takes for its inputs: tensors of their shapes, typed arrays of their sizes; in a Uint8Array 0 is false. */
export type RunInputs<I extends Inputs> = {
  readonly [Name in keyof I]: I[Name] extends Int32Input
    ? Int32Tensor | Int32Array | readonly number[]
    : I[Name] extends BoolInput
      ? BoolTensor | Uint8Array
      : Tensor | (I[Name] extends { readonly dtype: 'float64' } ? Float64Array : Float32Array);
};

interface Declared {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: Shape;
  readonly size: number;
}

/** An input as it goes into a program. */
export interface ProgramInput extends Declared {
  readonly value: Value;
  /** In bytes. */
  readonly stride: number;
  /** Of int32: the list that it is where it is used as indices. */
  readonly list: IndexList | null;
}

/** @throws TypeError, RangeError for what declares no inputs, or whose first dimension is not as many equal parts. */
export function declaredInputs(inputs: unknown, parts: number): Declared[] {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw new TypeError(`inputs must be an object of { shape, dtype }, got ${shown(inputs)}`);
  }
  return Object.entries(inputs as Record<string, unknown>).map(([name, given]) => {
    const what = `inputs.${name}`;
    if (typeof given !== 'object' || given === null) {
      throw new TypeError(`${what} must be { shape, dtype }, got ${shown(given)}`);
    }
    const { shape, dtype = 'float32', ...rest } = given as { shape?: unknown; dtype?: unknown };
    const [other] = Object.keys(rest);
    if (other !== undefined) throw new TypeError(`${what} has shape and dtype, there is no '${other}'`);
    checkShape(`${what}.shape`, shape);
    checkTensorDType(`${what}.dtype`, dtype);
    const kept = frozen(shape);
    if (parts > 1 && (kept.length === 0 || kept[0]! % parts !== 0)) {
      throw new RangeError(
        `${what}.shape is ${showShape(kept)}: its first dimension must be a multiple of accumulate, which is ${parts}`,
      );
    }
    return { name, dtype, shape: kept, size: sizeOf(kept) };
  });
}

/** Makes what stands for the inputs in the trace; of each repetition's part. */
export function tracedInputs(
  declared: readonly Declared[],
  recorder: Recorder,
  parts: number,
): { traced: Record<string, AnyTensor>; inputs: ProgramInput[] } {
  const traced: Record<string, AnyTensor> = {};
  const inputs = declared.map((input): ProgramInput => {
    const { name, dtype, shape, size } = input;
    const part = parts === 1 ? shape : frozen([shape[0]! / parts, ...shape.slice(1)]);
    const length = size / parts;
    const step = parts === 1 ? 0 : length;
    const stride = step * bytesPerElement[dtype];
    if (dtype === 'int32') {
      const { memory, value, list } = recorder.indices(name, length, step);
      traced[name] = new Tensor(memory, part);
      return { ...input, value, stride, list };
    }
    const { memory, value } = recorder.input(dtype, length);
    traced[name] = new Tensor(memory, part);
    return { ...input, value, stride, list: null };
  });
  return { traced, inputs };
}

/**
 * What a run is given for an input, as an array.
 * @throws TypeError for another kind or dtype, RangeError for another shape or length.
 */
export function fedArray({ name, dtype, shape, size }: Declared, given: unknown): TensorArray {
  if (isTensor(given)) {
    if (given.dtype !== dtype) throw new TypeError(`${name} is ${given.dtype}, expected ${dtype}`);
    if (!sameShape(given.shape, shape)) {
      throw new RangeError(`${name} has shape ${showShape(given.shape)}, expected ${showShape(shape)}`);
    }
    return given.data;
  }
  if (dtype === 'int32') return fedIndices(name, shape, size, given);
  if (heldBy(given) !== dtype) {
    throw new TypeError(`${name} must be a Tensor or a ${classOf[dtype]}, got ${shown(given)}`);
  }
  checkLength(name, shape, size, lengthOf(given));
  return given as TensorArray;
}

function fedIndices(name: string, shape: Shape, size: number, given: unknown): Int32Array {
  const isList = isInt32Array(given) || Array.isArray(given);
  if (!isList) throw new TypeError(`${name} must be an Int32Array or an array of numbers, got ${shown(given)}`);
  const array = isInt32Array(given) ? given : toIndices(name, given as readonly number[]);
  checkLength(name, shape, size, lengthOf(array));
  return array;
}

function checkLength(name: string, shape: Shape, size: number, length: number): void {
  if (length === size) return;
  throw new RangeError(`${name} has ${length} elements, shape ${showShape(shape)} needs ${size}`);
}
