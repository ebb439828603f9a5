import { checkDType, shown } from '../checks';
import { alignedArray, dtypeOf, isFloatArray, lengthOf } from './arrays';
import { rounded, type DType, type FloatArray, type Nested } from './dtype';
import { checkQuiet, isAnythingInFlight } from './in-flight';
import { Memory } from './memory';
import { checkShape, flatten, frozen, showShape, sizeOf, type Shape } from './shape';

declare global {
  /** For programs compiled without a library that has it: TypeScript before 5.2, or no `ESNext.Disposable`. */
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
}

// Looks at every tensor that kernels are about to be given, if anything does.
let onOperand: ((tensor: Tensor) => void) | null = null;

/** @internal Has `look` see every tensor that kernels are given while `f` runs; null: nobody does. */
export function lookingAtOperands<T>(look: ((tensor: Tensor) => void) | null, f: () => T): T {
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
 * Numbers in a shape, row-major.
 *
 * A tensor's values are those of its memory times its `factor`. Clipping by a norm, unscaling a loss scale and
 * averaging over replicas change nothing but the factor: optimizers multiply it in while they read the gradient.
 */
export class Tensor {
  // Private to the engine: what native code is told of a tensor cannot be assigned from outside.
  readonly #memory: Memory;
  readonly #shape: Shape;
  readonly #factor: number;
  #product: Memory | null = null;
  #why: string | null = null;
  /** @internal The tapes that follow this tensor, if any; see autodiff/tape.ts. */
  tapes: readonly object[] | null = null;

  /** @internal Use `tensor`. */
  constructor(memory: Memory, shape: Shape, factor = 1) {
    if (!(memory instanceof Memory)) throw new TypeError('a Tensor is made by tensor(values, shape), not by new');
    this.#memory = memory;
    this.#shape = shape;
    this.#factor = factor;
  }

  /** The element type. */
  get dtype(): DType {
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
  get memory(): Memory {
    if (this.#why !== null) throw new Error(this.#why);
    return this.#memory;
  }

  /**
   * The values, row-major. For a clipped or otherwise scaled gradient this is a copy, made on first read.
   * @throws Error when the tensor's memory has been given back: after `dispose`, or when it was an intermediate
   * result of a step that is over (`keep` holds on to it).
   */
  get data(): FloatArray {
    const { raw } = this;
    return this.#factor === 1 ? raw : this.product.array;
  }

  /** @internal What `data` has, for `kernels` and for nobody else. */
  get operand(): FloatArray {
    if (onOperand !== null) onOperand(this);
    return this.unseen;
  }

  /** @internal The same, for who has looked at the tensor. */
  get unseen(): FloatArray {
    return this.#factor === 1 ? this.memory.operand : this.product.operand;
  }

  private get product(): Memory {
    // A copy whose buffer somebody has transferred is made anew.
    if (this.#product?.isGone !== false || !this.#product.isThere) {
      this.#product = this.memory.multiplied(this.#factor);
    }
    return this.#product;
  }

  /** @internal The memory's values, without the factor. */
  get raw(): FloatArray {
    return this.memory.array;
  }

  /** @internal The memory, for writing. @throws Error while an asynchronous step uses it. */
  rewrite(): FloatArray {
    if (isAnythingInFlight()) checkQuiet(this.memory.key, () => "this tensor's memory");
    this.memory.forgetCopies();
    return this.raw;
  }

  /** @internal Another tensor over the same memory. */
  view(shape: Shape, factor = this.#factor): Tensor {
    return new Tensor(this.memory.share(), shape, factor);
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
  item(): number {
    if (this.size !== 1) throw new RangeError(`item() needs exactly one element, this tensor has ${this.size}`);
    return this.data[0]!;
  }

  /** The values as nested arrays; a number for a tensor of rank 0. */
  toArray(): Nested {
    const { data, shape } = this;
    let next = 0;
    const build = (depth: number): Nested =>
      depth === shape.length ? data[next++]! : Array.from({ length: shape[depth]! }, () => build(depth + 1));
    return build(0);
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

/**
 * A tensor with a copy of the given values.
 *
 * @param values numbers nested to any depth, or a typed array.
 * @param shape default: the nesting's shape, or `[length]` for a typed array.
 * @param dtype default: a typed array's own, else `'float32'`.
 * @throws TypeError for values that are no numbers, RangeError for ragged rows or a shape of another size.
 * @example
 * const a = tensor([[1, 2], [3, 4]]);
 * const b = tensor(new Float64Array(6), [2, 3]);
 */
export function tensor(values: Nested | FloatArray, shape?: readonly number[], dtype?: DType): Tensor {
  const given = valuesAndShape('values', values, shape, dtype);
  return new Tensor(Memory.over(given.array, given.dtype), given.shape);
}

/** A fresh array with the given values, and its shape. */
export function valuesAndShape(
  name: string,
  values: Nested | FloatArray,
  shape: Shape | undefined,
  dtype: DType | undefined,
  allocate: (dtype: DType, length: number) => FloatArray = alignedArray,
): { array: FloatArray; shape: Shape; dtype: DType } {
  if (shape !== undefined) checkShape('shape', shape);
  if (dtype !== undefined) checkDType('dtype', dtype);
  if (!isFloatArray(values) && typeof values !== 'number' && !Array.isArray(values)) {
    throw new TypeError(`${name} must be numbers or a Float32Array or Float64Array, got ${shown(values)}`);
  }
  const flat = isFloatArray(values) ? { shape: [lengthOf(values)], numbers: values } : flatten(name, values as Nested);
  const count = sizeOf(flat.shape);
  const finalShape = frozen(shape ?? flat.shape);
  const finalDType = dtype ?? (isFloatArray(values) ? dtypeOf(values) : 'float32');
  if (sizeOf(finalShape) !== count) {
    throw new RangeError(`${name} has ${count} elements, shape ${showShape(finalShape)} needs ${sizeOf(finalShape)}`);
  }
  const array = allocate(finalDType, count);
  array.set(flat.numbers);
  return { array, shape: finalShape, dtype: finalDType };
}

/** @internal A tensor over `array` itself. */
export function alias(array: FloatArray, dtype: DType, shape: Shape): Tensor {
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
