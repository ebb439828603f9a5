import { checkDType, shown } from '../checks';
import { dtypeOf, isFloatArray, newArray, rounded, type DType, type FloatArray, type Nested } from './dtype';
import { Memory } from './memory';
import { native } from '../native';
import { checkShape, flatten, frozen, showShape, sizeOf, type Shape } from './shape';

/**
 * Numbers in a shape, row-major.
 *
 * A tensor's values are those of its memory times its `factor`. Clipping by a norm, unscaling a loss scale and
 * averaging over replicas change nothing but the factor: optimizers multiply it in while they read the gradient.
 */
export class Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly size: number;
  /** @internal Values are memory times factor. */
  readonly factor: number;
  /** @internal Whether computeGradients made it, or it was made from one that was; see optimizers/spent.ts. */
  isOurs = false;
  /** @internal The tape that follows this tensor, if any; see autodiff/tape.ts. */
  tape: object | null = null;
  private readonly memory: Memory;
  private multiplied: Memory | null = null;
  private why: string | null = null;

  /** @internal Use `tensor`. */
  constructor(memory: Memory, dtype: DType, shape: Shape, factor = 1, size = sizeOf(shape)) {
    this.memory = memory;
    this.dtype = dtype;
    this.shape = shape;
    this.size = size;
    this.factor = factor;
  }

  /**
   * The values, row-major. For a clipped or otherwise scaled gradient this is a copy, made on first read.
   * @throws Error when the tensor's memory has been given back: after `dispose`, or when it was an intermediate
   * result of a step that is over (`keep` holds on to it).
   */
  get data(): FloatArray {
    if (this.factor === 1) return this.raw;
    if (this.multiplied === null) {
      const copy = Memory.take(this.dtype, this.size);
      native.scale(copy.live!, this.raw, this.factor);
      this.multiplied = copy;
    }
    return this.multiplied.live!;
  }

  /** @internal The memory's values, without the factor. */
  get raw(): FloatArray {
    const array = this.why === null ? this.memory.live : null;
    if (array === null) throw new Error(this.why ?? this.memory.whyGone);
    return array;
  }

  /** @internal Where `raw` lies; see Memory.address. @throws Error when its buffer was detached, shrunk or grown. */
  get address(): number {
    const { length } = this.raw;
    if (length !== this.size) throw new Error(`a tensor's memory now has ${length} elements, expected ${this.size}`);
    return this.memory.address;
  }

  /** @internal The memory, for writing: what was multiplied before no longer holds. */
  rewrite(): FloatArray {
    this.multiplied?.release();
    this.multiplied = null;
    return this.raw;
  }

  /** @internal Another tensor over the same memory. */
  view(shape: Shape, factor = this.factor): Tensor {
    if (this.why !== null) throw new Error(this.why);
    return new Tensor(this.memory.share(), this.dtype, shape, factor, this.size);
  }

  /** @internal Whether the memory came from the pool and nobody else has it. */
  get ownsMemory(): boolean {
    return this.memory.pooled && !this.memory.isShared;
  }

  /** Whether the values can no longer be read. */
  get isDisposed(): boolean {
    return this.why !== null || this.memory.live === null;
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

  /** @internal Its memory will not be retired. */
  keepMemory(): void {
    this.memory.kept = true;
  }

  /** @internal Takes the memory from this tensor and all others over it, unless one of them is kept. */
  retire(why: string): void {
    if (this.memory.kept) return;
    this.memory.retire(why);
    this.multiplied?.release();
    this.multiplied = null;
  }

  /** @internal `why` is what a later reader is told. */
  release(why: string): void {
    if (this.why !== null) return;
    this.why = why;
    this.memory.release();
    this.multiplied?.release();
    this.multiplied = null;
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
  return new Tensor(Memory.over(given.array, given.dtype), given.dtype, given.shape);
}

/** A fresh array with the given values, and its shape. */
export function valuesAndShape(
  name: string,
  values: Nested | FloatArray,
  shape: Shape | undefined,
  dtype: DType | undefined,
  allocate: (dtype: DType, length: number) => FloatArray = newArray,
): { array: FloatArray; shape: Shape; dtype: DType } {
  if (shape !== undefined) checkShape('shape', shape);
  if (dtype !== undefined) checkDType('dtype', dtype);
  if (!isFloatArray(values) && typeof values !== 'number' && !Array.isArray(values)) {
    throw new TypeError(`${name} must be numbers or a Float32Array or Float64Array, got ${shown(values)}`);
  }
  const flat = isFloatArray(values) ? { shape: [values.length], numbers: values } : flatten(name, values as Nested);
  const finalShape = frozen(shape ?? flat.shape);
  const finalDType = dtype ?? (isFloatArray(values) ? dtypeOf(values) : 'float32');
  if (sizeOf(finalShape) !== flat.numbers.length) {
    throw new RangeError(
      `${name} has ${flat.numbers.length} elements, shape ${showShape(finalShape)} needs ${sizeOf(finalShape)}`,
    );
  }
  const array = allocate(finalDType, flat.numbers.length);
  array.set(flat.numbers);
  return { array, shape: finalShape, dtype: finalDType };
}

/** @internal A tensor over `array` itself. */
export function alias(array: FloatArray, shape: Shape = [array.length]): Tensor {
  const dtype = dtypeOf(array);
  return new Tensor(Memory.over(array, dtype), dtype, shape);
}

/**
 * @internal The same gradient times `factor`: a new factor over the same memory.
 * Only where the factor itself would leave the dtype's range are the values multiplied here and now.
 */
export function timesFactor(gradient: Tensor, factor: number): Tensor {
  const product = gradient.factor * factor;
  const held = rounded(product, gradient.dtype);
  if (gradient.dtype === 'float64' || !isLossy(held, product)) return gradient.view(gradient.shape, held);
  const result = new Tensor(Memory.take(gradient.dtype, gradient.size), gradient.dtype, gradient.shape);
  const source = gradient.raw;
  result.raw.forEach((_, i, out) => (out[i] = source[i]! * product));
  return result;
}

const smallestNormal = 2 ** -126;
const isLossy = (held: number, product: number): boolean =>
  product !== 0 && Number.isFinite(product) && (Math.abs(held) < smallestNormal || !Number.isFinite(held));
