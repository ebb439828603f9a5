import { checkOptions, type NamesOf } from '../options';
import { checkBoolean, checkFunction, shown } from '../checks';
import { copyInto, dtypeOf, isFloatArray, lengthOf, sharedArray } from './arrays';
import type { DType, FloatArray, Nested } from './dtype';
import { checkHandle, type VariableHandle } from './handles';
import { checkQuiet, isAnythingInFlight } from './in-flight';
import { Memory } from './memory';
import { checkShape, frozen, sameShape, showShape, sizeOf } from './shape';
import { planVariables, restoreParts, variableEntry, type StateEntry, type Stateful, type StateSource } from './state';
import { checkFloats, memoryOf, Tensor } from './tensor';
import { refuseInTrace, trace } from './trace';
import { floatsAndShape } from './values';

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

const names: NamesOf<VariableOptions> = { name: true, trainable: true, shape: true, dtype: true, constraint: true };
const namesOver: NamesOf<Omit<VariableOptions, 'dtype'>> = {
  name: true,
  trainable: true,
  shape: true,
  constraint: true,
};

let unnamed = 0;

/** @internal `variable.memory`, also where somebody has defined another answer over it. @throws what that throws, TypeError for what is none. */
export let memoryOfVariable: (variable: Variable) => Memory;

/** A tensor that training changes, in memory that stays where it is. Create one with `variable` or `Variable.over`. */
export class Variable implements Stateful {
  readonly name: string;
  readonly trainable: boolean;
  /** @internal */
  readonly constraint: Constraint | null;
  readonly #value: Tensor;

  static {
    memoryOfVariable = (variable) => {
      const memory = memoryOf(variable.#value);
      if (memory.isThere) return memory;
      throw new Error(`memory of '${variable.name}' now has ${memory.lengthNow} elements, expected ${memory.length}`);
    };
  }

  /** @internal */
  constructor(memory: Memory, options: VariableOptions) {
    if (!(memory instanceof Memory))
      throw new TypeError('a Variable is made by variable(initial) or Variable.over(array), not by new');
    checkOptions('options', options, names);
    const { name, trainable = true, constraint, shape = [memory.length] } = options;
    if (name !== undefined && (typeof name !== 'string' || name === '')) {
      throw new TypeError(`name must be a string that is not empty, got ${shown(name)}`);
    }
    checkBoolean('trainable', trainable);
    if (constraint !== undefined) checkFunction('constraint', constraint);
    this.name = name ?? (unnamed === 0 ? 'Variable' : `Variable_${unnamed}`);
    if (name === undefined) unnamed++;
    this.trainable = trainable;
    this.constraint = constraint ?? null;
    this.#value = new Tensor(memory, frozen(shape));
  }

  /** The element type. */
  get dtype(): DType {
    return this.#value.dtype;
  }

  /** The size of each dimension; [] for a single number. */
  get shape(): readonly number[] {
    return this.#value.shape;
  }

  /** How many elements there are. */
  get size(): number {
    return this.#value.size;
  }

  /** @internal The same memory as a tensor: what ops read and tapes follow. */
  get value(): Tensor {
    return this.#value;
  }

  /**
   * @internal What the values are in, all of it.
   * @throws Error when the memory was taken away: disposed of, or its buffer detached, shrunk or grown.
   */
  get memory(): Memory {
    return memoryOfVariable(this);
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
    checkOptions('options', options, namesOver);
    if (options.shape !== undefined) {
      checkShape('shape', options.shape);
      const count = lengthOf(array);
      if (sizeOf(options.shape) !== count) {
        throw new RangeError(
          `array has ${count} elements, shape ${showShape(options.shape)} needs ${sizeOf(options.shape)}`,
        );
      }
    }
    return new Variable(Memory.over(array, dtypeOf(array)), options);
  }

  /**
   * What another thread makes the same variable of, by `Variable.from`: it can be posted, and given as workerData. Both
   * then have one memory: each sees what the other writes, without waiting for it. A constraint stays here.
   * @throws TypeError for a variable over memory that is not shared, or that can grow; Error when it was disposed of.
   */
  share(): VariableHandle {
    const { name, dtype, shape, trainable, memory } = this;
    if (!memory.isPermanent) {
      throw new TypeError(`variable '${name}' cannot be shared: its memory is not a fixed SharedArrayBuffer`);
    }
    return { kind: 'gradstep/variable', name, dtype, shape, trainable, memory: memory.array };
  }

  /**
   * The variable of another thread, over the same memory.
   * @param options.constraint as there: a function cannot be shared.
   * @throws TypeError for what `share` did not give, RangeError for memory of another size than the shape's.
   */
  static from(handle: VariableHandle, options: Pick<VariableOptions, 'constraint'> = {}): Variable {
    checkHandle(handle, 'gradstep/variable');
    checkOptions('options', options, { constraint: true });
    const { name, dtype, shape, trainable, memory } = handle;
    if (!isFloatArray(memory) || dtypeOf(memory) !== dtype) {
      throw new TypeError(`memory of the handle of '${name}' must be an array of ${dtype}, got ${shown(memory)}`);
    }
    checkShape('shape of the handle', shape);
    if (sizeOf(shape) !== lengthOf(memory)) {
      throw new RangeError(
        `memory of the handle has ${lengthOf(memory)} elements, shape ${showShape(shape)} has others`,
      );
    }
    const own = Memory.of(memory, dtype);
    if (!own.isPermanent) throw new TypeError(`memory of the handle of '${name}' is not a fixed SharedArrayBuffer`);
    return new Variable(own, { name, shape, trainable, ...options });
  }

  /**
   * The live storage, row-major: reading sees every update, writing is one. It may start anywhere in its buffer: hand the
   * array itself to a worker, not its `buffer`. While an asynchronous step of the variable is not over, some elements may
   * be those before it and others those after.
   * @throws Error when the memory was taken away: disposed of, or its buffer detached, shrunk or grown.
   */
  get data(): FloatArray {
    if (trace !== null) refuseInTrace(`reading or writing the values of variable '${this.name}'`);
    return this.memory.array;
  }

  /**
   * Overwrites the value.
   * @throws TypeError for values that are no numbers, RangeError for another shape (a typed array needs the same size),
   * Error while an asynchronous step of the variable is not over.
   */
  assign(values: Nested | FloatArray | Tensor): this {
    this.checkQuiet();
    if (values instanceof Tensor) checkFloats(`value for '${this.name}'`, values);
    if (values instanceof Tensor || isFloatArray(values)) {
      const source = values instanceof Tensor ? values.data : values;
      if (values instanceof Tensor && !sameShape(values.shape, this.shape)) this.refuse(values.shape);
      const count = lengthOf(source);
      if (count !== this.size) this.refuse([count]);
      copyInto(this.data, source);
    } else {
      const given = floatsAndShape('values', values, undefined, this.dtype);
      if (!sameShape(given.shape, this.shape)) this.refuse(given.shape);
      copyInto(this.data, given.array);
    }
    return this;
  }

  /** @internal @throws Error while an asynchronous step uses the memory, or waits for it. */
  checkQuiet(): void {
    if (isAnythingInFlight() && !this.isDisposed) checkQuiet(this.#value.memory.key, () => `variable '${this.name}'`);
  }

  /**
   * Lets go of the memory. Using the variable afterwards is an error; doing it twice is none.
   * @throws Error while an asynchronous step of the variable is not over.
   */
  dispose(): void {
    this.checkQuiet();
    this.#value.release(`variable '${this.name}' has been disposed of`);
  }

  /** `dispose`, at the end of the block that declared the variable with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Whether the variable has been disposed of. */
  get isDisposed(): boolean {
    return this.#value.isDisposed;
  }

  private refuse(shape: readonly number[]): never {
    throw new RangeError(`value for '${this.name}' has shape ${showShape(shape)}, expected ${showShape(this.shape)}`);
  }

  /** The value of a variable with one element. @throws RangeError when it has more or none. */
  item(): number {
    void this.data;
    return this.value.item();
  }

  /** Its value, under its name. @throws Error while an asynchronous step of the variable is not over. */
  state(): StateEntry[] {
    this.checkQuiet();
    return [variableEntry(this)];
  }

  /** Overwrites the value: it keeps its memory (`Variable.over` makes a variable over given memory). */
  restore(entries: Iterable<StateEntry>): void {
    restoreParts([this], entries);
  }

  planRestore(source: StateSource): () => void {
    return planVariables(source, [this]);
  }

  /** The values as nested arrays. */
  toArray(): Nested {
    void this.data;
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
  checkOptions('options', options, names);
  if (initial instanceof Tensor) checkFloats('initial', initial);
  const values = initial instanceof Tensor ? initial.data : initial;
  const { shape, dtype } = initial instanceof Tensor ? initial : { shape: undefined, dtype: undefined };
  const given = floatsAndShape('initial', values, options.shape ?? shape, options.dtype ?? dtype, sharedArray);
  return new Variable(Memory.of(given.array, given.dtype), { ...options, shape: given.shape });
}
