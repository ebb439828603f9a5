import { checkBoolean, checkFunction, checkOptions, shown } from '../checks';
import { dtypeOf, isFixed, isFloatArray, sharedArray, type DType, type FloatArray, type Nested } from './dtype';
import { Memory } from './memory';
import { checkShape, frozen, sameShape, showShape, sizeOf } from './shape';
import { Tensor, valuesAndShape } from './tensor';

/** What a variable's new value is passed through after each dense update. */
export type Constraint = (value: Tensor) => Tensor | FloatArray;

export interface VariableOptions {
  /** Shows in messages and names slots. Default: `Variable`, `Variable_1`, ... */
  name?: string;
  /** Whether optimizers update it when no list of variables is given. Default: true. */
  trainable?: boolean;
  /** Default: the shape of the initial value. */
  shape?: readonly number[];
  /** Default: the initial value's own, else `'float32'`. */
  dtype?: DType;
  /** Applied after each dense update; may return the tensor it was given, changed in place. */
  constraint?: Constraint;
}

let unnamed = 0;

/** A tensor that training changes, in memory that stays where it is. Create one with `variable` or `Variable.over`. */
export class Variable {
  readonly name: string;
  readonly trainable: boolean;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly size: number;
  /** @internal */
  readonly constraint: Constraint | null;
  /** @internal The same memory as a tensor: what ops read and tapes follow. */
  readonly value: Tensor;
  /** @internal Whether the memory stays where it is for as long as it keeps its length. */
  readonly isFixed: boolean;
  /** @internal Whether the memory can neither move nor be taken away. */
  readonly isPermanent: boolean;

  /** @internal */
  constructor(array: FloatArray, options: VariableOptions) {
    checkOptions('options', options);
    const { name, trainable = true, constraint, shape = [array.length] } = options;
    if (name !== undefined && (typeof name !== 'string' || name === '')) {
      throw new TypeError(`name must be a string that is not empty, got ${shown(name)}`);
    }
    checkBoolean('trainable', trainable);
    if (constraint !== undefined) checkFunction('constraint', constraint);
    this.name = name ?? (unnamed === 0 ? 'Variable' : `Variable_${unnamed}`);
    if (name === undefined) unnamed++;
    this.trainable = trainable;
    this.constraint = constraint ?? null;
    this.dtype = dtypeOf(array);
    this.shape = frozen(shape);
    this.size = array.length;
    this.isFixed = isFixed(array);
    this.isPermanent = this.isFixed && array.buffer instanceof SharedArrayBuffer;
    this.value = new Tensor(Memory.over(array, this.dtype), this.dtype, this.shape);
  }

  /**
   * A variable over memory you own: updates happen right there, and writes of yours are seen.
   * @param array over an ArrayBuffer or a SharedArrayBuffer, at any offset.
   * @throws TypeError for another kind of array, RangeError when `shape` has another size.
   */
  static over(
    array: FloatArray,
    options: { shape?: readonly number[]; name?: string; trainable?: boolean; constraint?: Constraint } = {},
  ): Variable {
    if (!isFloatArray(array)) {
      throw new TypeError(`array must be a Float32Array or a Float64Array, got ${shown(array)}`);
    }
    checkOptions('options', options);
    if (options.shape !== undefined) {
      checkShape('shape', options.shape);
      if (sizeOf(options.shape) !== array.length) {
        throw new RangeError(
          `array has ${array.length} elements, shape ${showShape(options.shape)} needs ${sizeOf(options.shape)}`,
        );
      }
    }
    return new Variable(array, options);
  }

  /**
   * The live storage, row-major: reading sees every update, writing is one.
   * @throws Error when the memory was taken away: its buffer detached, shrunk or grown.
   */
  get data(): FloatArray {
    const array = this.value.raw;
    if (array.length !== this.size) {
      throw new Error(`memory of '${this.name}' now has ${array.length} elements, expected ${this.size}`);
    }
    return array;
  }

  /**
   * Overwrites the value.
   * @throws TypeError for values that are no numbers, RangeError for another shape (a typed array needs the same size).
   */
  assign(values: Nested | FloatArray | Tensor): this {
    if (values instanceof Tensor || isFloatArray(values)) {
      const source = values instanceof Tensor ? values.data : values;
      if (values instanceof Tensor && !sameShape(values.shape, this.shape)) this.refuse(values.shape);
      if (source.length !== this.size) this.refuse([source.length]);
      this.data.set(source);
    } else {
      const given = valuesAndShape('values', values, undefined, this.dtype);
      if (!sameShape(given.shape, this.shape)) this.refuse(given.shape);
      this.data.set(given.array);
    }
    return this;
  }

  private refuse(shape: readonly number[]): never {
    throw new RangeError(`value for '${this.name}' has shape ${showShape(shape)}, expected ${showShape(this.shape)}`);
  }

  /** The value of a variable with one element. @throws RangeError when it has more or none. */
  item(): number {
    return this.value.item();
  }

  /** The values as nested arrays. */
  toArray(): Nested {
    return this.value.toArray();
  }
}

/**
 * A variable in fresh SharedArrayBuffer memory, starting at a copy of `initial`.
 *
 * @throws TypeError for values that are no numbers or options of a wrong kind, RangeError for a shape of another size.
 * @example
 * const kernel = variable([[1, 2], [3, 4]], { name: 'dense/kernel' });
 */
export function variable(initial: Nested | FloatArray | Tensor, options: VariableOptions = {}): Variable {
  checkOptions('options', options);
  const values = initial instanceof Tensor ? initial.data : initial;
  const shape = options.shape ?? (initial instanceof Tensor ? initial.shape : undefined);
  const given = valuesAndShape('initial', values, shape, options.dtype, sharedArray);
  return new Variable(given.array, { ...options, shape: given.shape });
}
