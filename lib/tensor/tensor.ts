import { dtypeOf, lengthOf } from './arrays';
import {
  isFloat,
  rounded,
  type ArrayOf,
  type DType,
  type ElementOf,
  type FloatArray,
  type Nested,
  type NestedBooleans,
  type NestedOf,
  type TensorArray,
  type TensorDType,
} from './dtype';
import { checkQuiet, isAnythingInFlight } from './in-flight';
import { Memory } from './memory';
import { showShape, type Shape } from './shape';
import { valuesAndShape } from './values';

declare global {
  /** For programs compiled without a library that has it: TypeScript before 5.2, or no `ESNext.Disposable`. */
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
}

// Looks at every tensor that kernels are about to be given, if anything does.
let onOperand: ((tensor: AnyTensor) => void) | null = null;

/** @internal Has `look` see every tensor that kernels are given while `f` runs; null: nobody does. */
export function lookingAtOperands<T>(look: ((tensor: AnyTensor) => void) | null, f: () => T): T {
  const before = onOperand;
  onOperand = look;
  try {
    return f();
  } finally {
    onOperand = before;
  }
}

const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/**
 * @internal What steps ask a tensor for: its memory, which decides what native code reads, and factor. Nobody can define another
 * answer, as one can over getters. @throws TypeError for what is no tensor, `memoryOf` Error when it is over.
 */
export let memoryOf: <D extends TensorDType>(tensor: Tensor<D>) => Memory<D>;
export let factorOf: (tensor: Tensor) => number;

/**
 * Numbers in a shape, row-major. `Tensor` alone is one of float32 or float64, which is what is computed with and has
 * gradients; `Tensor<'int32'>` has indices or labels, and `Tensor<'bool'>` what is true or false, such as a mask.
 *
 * A tensor's values are those of its memory times its `factor`. Clipping by a norm, unscaling a loss scale and
 * averaging over replicas change nothing but the factor: optimizers multiply it in while they read the gradient.
 */
export class Tensor<D extends TensorDType = DType> {
  /** Of what may be anything, `value instanceof Tensor` says that it is an `AnyTensor`: its `dtype` tells which. */
  declare static readonly [Symbol.hasInstance]: (value: unknown) => value is AnyTensor;

  // Private to the engine: what native code is told of a tensor cannot be assigned from outside.
  readonly #memory: Memory<D>;
  readonly #shape: Shape;
  readonly #factor: number;
  #product: Memory<D> | null = null;
  #why: string | null = null;
  /** @internal The tapes that follow this tensor, if any; see autodiff/tape.ts. */
  tapes: readonly object[] | null = null;

  static {
    memoryOf = (tensor) => {
      if (tensor.#why !== null) throw new Error(tensor.#why);
      return tensor.#memory;
    };
    factorOf = (tensor) => tensor.#factor;
  }

  /** @internal Use `tensor`. */
  constructor(memory: Memory<D>, shape: Shape, factor = 1) {
    if (!(memory instanceof Memory)) throw new TypeError('a Tensor is made by tensor(values, shape), not by new');
    this.#memory = memory;
    this.#shape = shape;
    this.#factor = factor;
  }

  /** The element type. */
  get dtype(): D {
    return this.#memory.dtype;
  }

  /** The size of each dimension; [] for a single number. */
  get shape(): readonly number[] {
    return this.#shape;
  }

  /** How many elements there are. */
  get size(): number {
    return this.#memory.length;
  }

  /** @internal Values are memory times factor. */
  get factor(): number {
    return this.#factor;
  }

  /** @internal What the values are in; how long they stay is its business. @throws Error when the tensor is over. */
  get memory(): Memory<D> {
    if (this.#why !== null) throw new Error(this.#why);
    return this.#memory;
  }

  /**
   * The values, row-major; 1 for true and 0 for false. For a clipped or otherwise scaled gradient this is a copy, made on
   * first read.
   * @throws Error when the tensor's memory has been given back: after `dispose`, or when it was an intermediate
   * result of a step that is over (`keep` holds on to it).
   */
  get data(): ArrayOf<D> {
    const { raw } = this;
    return this.#factor === 1 ? raw : this.product.array;
  }

  /** @internal What `data` has, for `kernels` and for nobody else. */
  get operand(): ArrayOf<D> {
    if (onOperand !== null) onOperand(this);
    return this.unseen;
  }

  /** @internal The same, for who has looked at the tensor. */
  get unseen(): ArrayOf<D> {
    return this.#factor === 1 ? this.memory.operand : this.product.operand;
  }

  private get product(): Memory<D> {
    // A copy whose buffer somebody has transferred is made anew.
    if (this.#product?.isGone !== false || !this.#product.isThere) {
      const floats = this.memory as unknown as Memory; // others have no factor
      this.#product = floats.multiplied(this.#factor) as unknown as Memory<D>;
    }
    return this.#product;
  }

  /** @internal The memory's values, without the factor. */
  get raw(): ArrayOf<D> {
    return this.memory.array;
  }

  /** @internal The memory, for writing. @throws Error while an asynchronous step uses it. */
  rewrite(): ArrayOf<D> {
    if (isAnythingInFlight()) checkQuiet(this.memory.key, () => "this tensor's memory");
    this.memory.forgetCopies();
    return this.raw;
  }

  /** @internal Another tensor over the same memory. */
  view(shape: Shape, factor = this.#factor): Tensor<D> {
    return new Tensor<D>(this.memory.share(), shape, factor);
  }

  /** @internal Whether the memory came from the pool and nobody else has it. */
  get ownsMemory(): boolean {
    return this.#memory.isPooled && !this.#memory.isShared;
  }

  /** Whether the values can no longer be read. */
  get isDisposed(): boolean {
    return this.#why !== null || this.#memory.isGone;
  }

  /**
   * The value of a tensor with one element.
   * @throws RangeError when it has more or none.
   */
  item(): ElementOf<D> {
    if (this.size !== 1) throw new RangeError(`item() needs exactly one element, this tensor has ${this.size}`);
    return this.element(this.data[0]!);
  }

  /** The values as nested arrays, true and false for bool; a single one for a tensor of rank 0. */
  toArray(): NestedOf<D> {
    const { data, shape } = this;
    let next = 0;
    const build = (depth: number): unknown =>
      depth === shape.length
        ? this.element(data[next++]!)
        : Array.from({ length: shape[depth]! }, () => build(depth + 1));
    return build(0) as NestedOf<D>;
  }

  private element(value: number): ElementOf<D> {
    return (this.dtype === 'bool' ? value !== 0 : value) as ElementOf<D>;
  }

  /** Gives the memory back. Reading the tensor afterwards is an error; doing it twice is none. */
  dispose(): void {
    this.release('this tensor has been disposed of');
  }

  /** `dispose`, at the end of the block that declared the tensor with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal Shown by console.log. */
  [inspect](): string {
    return `Tensor { dtype: '${this.dtype}', shape: ${showShape(this.#shape)}${this.isDisposed ? ', disposed' : ''} }`;
  }

  /** @internal `why` is what a later reader is told. */
  release(why: string): void {
    if (this.#why !== null) return;
    this.#why = why;
    if (this.#product !== null && !this.#product.isGone) this.#product.release();
    this.#memory.release();
  }
}

/** A tensor of any type. */
export type AnyTensor = Tensor<TensorDType>;

/** A tensor of whole numbers: indices, labels. */
export type Int32Tensor = Tensor<'int32'>;

/** A tensor of what is true or false: a mask. */
export type BoolTensor = Tensor<'bool'>;

export function isTensor(value: unknown): value is AnyTensor {
  return value instanceof Tensor;
}

/** @throws TypeError for a tensor that is not of floats. */
export function checkFloats(name: string, tensor: AnyTensor): asserts tensor is Tensor {
  if (isFloat(tensor.dtype)) return;
  throw new TypeError(`${name} is ${tensor.dtype}, expected float32 or float64: ops.cast makes it one`);
}

/**
 * A tensor with a copy of the given values.
 *
 * @param values numbers (or booleans) nested to any depth, or a typed array.
 * @param shape default: the nesting's shape, or `[length]` for a typed array.
 * @param dtype default: a typed array's own, `'bool'` for booleans, else `'float32'`. An Int32Array is one of int32; of a
 * Uint8Array, which is what bool is stored in, it must be told.
 * @throws TypeError for values that are none of the dtype, RangeError for ragged rows, a shape of another size, or numbers
 * that an int32 (a whole number of 32 bits) or a bool (0 or 1) cannot hold.
 * @example
 * const a = tensor([[1, 2], [3, 4]]);
 * const b = tensor(new Float64Array(6), [2, 3]);
 * const labels = tensor([2, 0, 1], [3], 'int32');
 * const mask = tensor([[true, false], [true, true]]);
 */
export function tensor(
  values: Nested | TensorArray,
  shape: readonly number[] | undefined,
  dtype: 'int32',
): Tensor<'int32'>;
export function tensor(
  values: Nested | NestedBooleans | TensorArray,
  shape: readonly number[] | undefined,
  dtype: 'bool',
): Tensor<'bool'>;
export function tensor(values: Nested | FloatArray, shape?: readonly number[], dtype?: DType): Tensor;
export function tensor(values: Int32Array, shape?: readonly number[]): Tensor<'int32'>;
export function tensor(values: NestedBooleans, shape?: readonly number[]): Tensor<'bool'>;
export function tensor(
  values: Nested | NestedBooleans | TensorArray,
  shape?: readonly number[],
  dtype?: TensorDType,
): AnyTensor;
export function tensor(
  values: Nested | NestedBooleans | TensorArray,
  shape?: readonly number[],
  dtype?: TensorDType,
): AnyTensor {
  const given = valuesAndShape('values', values, shape, dtype);
  return new Tensor(Memory.over(given.array, given.dtype), given.shape);
}

/** @internal A tensor over `array` itself. */
export function alias<D extends TensorDType>(array: ArrayOf<D>, dtype: D, shape: Shape): Tensor<D> {
  return new Tensor(Memory.over(array, dtype), shape);
}

/** @internal A tensor over a caller's array itself, of which nobody but its class says what it holds. */
export function aliasOfGiven(array: FloatArray, shape: Shape = [lengthOf(array)]): Tensor {
  return alias(array, dtypeOf(array), shape);
}

/**
 * @internal The same gradient times `factor`: a new factor over the same memory.
 * Only where the factor itself would leave the dtype's range are the values multiplied here and now.
 */
export function timesFactor(gradient: Tensor, factor: number): Tensor {
  const product = gradient.factor * factor;
  const held = rounded(product, gradient.dtype);
  if (gradient.dtype === 'float64' || !isLossy(held, product)) return gradient.view(gradient.shape, held);
  const memory = gradient.memory.like();
  const source = gradient.raw;
  memory.array.forEach((_, i, out) => (out[i] = source[i]! * product));
  return new Tensor(memory, gradient.shape);
}

const smallestNormal = 2 ** -126;
const isLossy = (held: number, product: number): boolean =>
  product !== 0 && Number.isFinite(product) && (Math.abs(held) < smallestNormal || !Number.isFinite(held));
