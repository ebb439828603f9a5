import type { TaskKind } from '../native';
import { bufferOf, byteOffsetOf, bytesPerElement, heldBy, lengthOf, newArray } from '../tensor/arrays';
import { isFloat, type FloatArray, type TensorArray, type TensorDType } from '../tensor/dtype';
import { Memory } from '../tensor/memory';
import { refuseInTrace, type Kernels, type Trace, type TracedDraw, type TracedDraws } from '../tensor/trace';
import { IndexList, Value, type Ref, type Task } from './values';

/** Memory of others that a program reads where it lies. */
export interface External {
  readonly value: Value;
  readonly memory: Memory<TensorDType>;
  readonly offset: number;
}

/** A value that every run has alike. */
export interface Constant {
  readonly value: Value;
  readonly array: FloatArray;
}

interface Parts {
  readonly option?: number;
  readonly writes?: number;
  readonly sizes?: readonly number[];
  readonly numbers?: readonly number[];
  readonly items?: readonly number[];
  readonly terms?: readonly FloatArray[];
  readonly indices?: { readonly array: Int32Array; readonly limit: number };
}

/**
 * Notes what kernels are called for. Arrays stand for values: those of the program each have a buffer of their own, which
 * nobody writes.
 */
export class Recorder implements Trace {
  readonly tasks: Task[] = [];
  readonly externals: External[] = [];
  readonly constants: Constant[] = [];
  readonly lists: IndexList[] = [];
  /** What is drawn in each run, in this order. */
  readonly draws: TracedDraws[] = [];
  /** Whether anything may be drawn: not once the update has been made, which a run may leave out. */
  canDraw = true;
  private readonly computed = new Map<ArrayBufferLike, Value>();
  private readonly others = new Map<ArrayBufferLike, External[]>();
  private readonly known = new Set<Memory<TensorDType>>();
  private readonly variables = new Set<Memory>();
  private readonly listOf = new Map<Int32Array, IndexList>();
  /** Of lists of several, these. */
  private readonly partsOf = new Map<Int32Array, readonly Int32Array[]>();
  private readonly scalars = new Map<string, Value>();

  /** Memory of a value that comes with each run. */
  input<D extends TensorDType>(dtype: D, length: number): { memory: Memory<D>; value: Value } {
    return this.made(dtype, length, 'elsewhere');
  }

  /** Memory of whole numbers that come with each run, and of the list that they are where they are used as indices. */
  indices(name: string, length: number, stride: number): { memory: Memory<'int32'>; value: Value; list: IndexList } {
    const made = this.made('int32', length, 'elsewhere');
    return { ...made, list: this.newList(made.memory.standIn, stride, [], { name, array: null }) };
  }

  take<D extends TensorDType>(dtype: D, length: number): Memory<D> {
    return this.made(dtype, length, 'arena').memory;
  }

  use(memory: Memory<TensorDType>, array: TensorArray): void {
    if (this.known.has(memory)) return;
    this.known.add(memory);
    // A number that an op was given is a constant; all else may change.
    const isConstant =
      !memory.isPooled && !memory.isCallers && isFloat(memory.dtype) && !this.variables.has(memory as Memory);
    if (isConstant || this.computed.has(bufferOf(array))) return;
    const external = {
      value: new Value(memory.dtype, memory.length, 'elsewhere'),
      memory,
      offset: byteOffsetOf(array),
    };
    this.externals.push(external);
    const sharers = this.others.get(bufferOf(array));
    if (sharers === undefined) this.others.set(bufferOf(array), [external]);
    else sharers.push(external);
  }

  indicesIn(memory: Memory<'int32'>): Int32Array {
    const array = memory.standIn;
    if (!this.listOf.has(array) && !this.isComputed(array)) {
      this.newList(array, 0, [], { name: 'indices', array: () => memory.array });
    }
    return array;
  }

  /** Whether an array stands for indices that the program computes, so that there is no list of them. */
  isComputed(array: Int32Array): boolean {
    return !this.listOf.has(array) && this.computed.has(bufferOf(array));
  }

  draw(source: TracedDraws): TracedDraw {
    if (!this.canDraw) refuseInTrace('drawing after the update');
    // Below what any key is: where it goes by mistake it is refused.
    return { key: -this.draws.push(source), stream: 0, counter: 0 };
  }

  read(memory: Memory): void {
    this.variables.add(memory);
    memory.bar(true);
  }

  /** The variables that have been read. */
  get readVariables(): Memory[] {
    return [...this.variables];
  }

  /** All of a variable, for what comes after the update: whether any task reads it or not. */
  whole(memory: Memory): Ref {
    this.variables.add(memory);
    this.use(memory, memory.standIn);
    return this.ref(memory.standIn);
  }

  /** Lets JavaScript read variables again. */
  end(): void {
    for (const memory of this.variables) memory.bar(false);
  }

  /** What an array of a tensor or memory stands for. */
  ref(array: TensorArray): Ref {
    const buffer = bufferOf(array);
    const offset = byteOffsetOf(array);
    const value = this.computed.get(buffer);
    if (value !== undefined) return { value, offset };
    const bytes = lengthOf(array) * bytesPerElement[heldBy(array)!];
    for (const external of this.others.get(buffer) ?? []) {
      const from = offset - external.offset;
      if (from >= 0 && from + bytes <= external.value.bytes) return { value: external.value, offset: from };
    }
    return { value: this.constant(array as FloatArray), offset: 0 };
  }

  /** The list that an array of indices stands for. */
  list(array: Int32Array, limit: number): IndexList {
    const list = this.listOf.get(array) ?? this.newList(array, 0, [], { name: 'indices', array: () => array });
    return list.restrict(limit);
  }

  private newList(
    array: Int32Array,
    stride: number,
    parts: readonly IndexList[],
    source: IndexList['source'],
  ): IndexList {
    const list = new IndexList(lengthOf(array), stride, parts, source);
    this.listOf.set(array, list);
    this.lists.push(list);
    return list;
  }

  /** A copy of `x` into memory of others: all of a variable. */
  store(memory: Memory, x: FloatArray): void {
    const { dtype, length } = memory;
    this.note('copy', dtype, [this.ref(memory.operand), this.ref(x)], { sizes: [length] });
  }

  /** A value of the program's own that no tensor stands for. */
  value(dtype: TensorDType, length: number): Value {
    return new Value(dtype, length, 'arena');
  }

  readonly kernels: Kernels = {
    fill: (out, value) => {
      const held = heldBy(out);
      const parts = { sizes: [lengthOf(out)], numbers: [value] };
      if (held === 'int32' || held === 'bool')
        this.add('fillWhole', [out], { ...parts, option: held === 'int32' ? 2 : 0 });
      else this.add('fill', [out], parts);
    },
    copy: (out, x) => {
      const n = lengthOf(out);
      if (heldBy(out) === 'bool') this.add('stridedCopy', [out, x], { items: [0, 0, n, 1, 1] });
      else this.add('copy', [out, x], { sizes: [n] });
    },
    repeat: (out, x) => this.add('repeat', [out, x], { sizes: [lengthOf(out)] }),
    unary: (option, out, x) => this.add('unary', [out, x], { option, sizes: [lengthOf(out)] }),
    binary: (option, out, a, b) => {
      const n = lengthOf(out);
      const operands = lengthOf(a) === n && lengthOf(b) === n ? 0 : lengthOf(a) === 1 ? 1 : 2;
      this.add('binary', [out, a, b], { option, sizes: [n], items: [operands] });
    },
    binaryBroadcast: (option, out, a, b, layout) =>
      this.add('binaryBroadcast', [out, a, b], { option, items: [...layout] }),
    permute: (out, x, layout) => this.add('permute', [out, x], { items: [...layout] }),
    sum: (out, x, outer, reduced, inner, scale) =>
      this.add('sum', [out, x], { sizes: [outer, reduced, inner], numbers: [scale] }),
    softmax: (out, x, columns) => this.add('softmax', [out, x], { sizes: rows(out, columns) }),
    logSoftmax: (out, x, columns) => this.add('logSoftmax', [out, x], { sizes: rows(out, columns) }),
    softmaxGradient: (dx, dy, y, columns) => this.add('softmaxGradient', [dx, dy, y], { sizes: rows(dx, columns) }),
    logSoftmaxGradient: (dx, dy, y, columns) =>
      this.add('logSoftmaxGradient', [dx, dy, y], { sizes: rows(dx, columns) }),
    softmaxCrossEntropy: (loss, backprop, labels, logits, columns) =>
      this.add('softmaxCrossEntropy', [loss, backprop, labels, logits], {
        writes: 2,
        sizes: [lengthOf(loss), columns],
      }),
    sparseSoftmaxCrossEntropy: (loss, backprop, labels, logits, columns) => {
      const parts = { writes: 2, sizes: [lengthOf(loss), columns] };
      if (this.isComputed(labels)) {
        return this.add('sparseSoftmaxCrossEntropyAt', [loss, backprop, logits, labels], parts);
      }
      const indices = { array: labels, limit: columns };
      this.add('sparseSoftmaxCrossEntropy', [loss, backprop, logits], { ...parts, indices });
    },
    scaleRows: (out, x, factors) => {
      const count = lengthOf(factors);
      this.add('scaleRows', [out, x, factors], { sizes: [count, count === 0 ? 0 : lengthOf(out) / count] });
    },
    gather: (out, params, indices, count, columns) => {
      if (this.isComputed(indices)) {
        const option = Math.log2(bytesPerElement[heldBy(out)!]);
        return this.add('gatherAt', [out, params, indices], {
          option,
          sizes: [1, 1, lengthOf(indices), count, columns],
        });
      }
      this.add('gather', [out, params], {
        sizes: [lengthOf(indices), count, columns],
        indices: { array: indices, limit: count },
      });
    },
    scatterAdd: (out, values, indices, count, columns, factor) => {
      if (this.isComputed(indices)) {
        const sizes = [1, 1, lengthOf(indices), count, columns];
        return this.add('scatterAddAt', [out, values, indices], { sizes, numbers: [factor] });
      }
      this.add('scatterAdd', [out, values], {
        sizes: [lengthOf(indices), count, columns],
        numbers: [factor],
        indices: { array: indices, limit: count },
      });
    },
    gemm: (out, a, b, m, n, k, transposeA, transposeB, bias, relu) => {
      const option = Number(transposeA) + 2 * Number(transposeB) + (bias === undefined ? 0 : 4) + 8 * Number(relu);
      this.add('gemm', [out, a, b, bias], { option, sizes: [m, n, k] });
    },
    addN: (out, terms) => this.add('addN', [out], { sizes: [lengthOf(out)], terms }),
    addScaled: (out, x, factor) => this.add('addScaled', [out, x], { sizes: [lengthOf(out)], numbers: [factor] }),
    scale: (out, x, factor) => this.add('scale', [out, x], { sizes: [lengthOf(out)], numbers: [factor] }),
    clipByValue: (out, x, low, high) =>
      this.add('clipByValue', [out, x], { sizes: [lengthOf(out)], numbers: [low, high] }),
    randomUniform: (out, key, _stream, _counter, low, high) =>
      this.add('randomUniform', [out], { sizes: [lengthOf(out)], numbers: [low, high], items: [-key - 1] }),
    randomNormal: (out, key, _stream, _counter, mean, stddev, truncated) =>
      this.add('randomNormal', [out], {
        option: Number(truncated),
        sizes: [lengthOf(out)],
        numbers: [mean, stddev],
        items: [-key - 1],
      }),
    randomBernoulli: (out, key, _stream, _counter, probability) =>
      this.add('randomBernoulli', [out], { sizes: [lengthOf(out)], numbers: [probability], items: [-key - 1] }),
    dropout: (out, x, key, _stream, _counter, rate) =>
      this.add('dropout', [out, x], { sizes: [lengthOf(out)], numbers: [rate], items: [-key - 1] }),
    sumOfSquares: (out, x, scale) => this.add('sumOfSquares', [out, x], { sizes: [lengthOf(x)], numbers: [scale] }),
    concatenate: (arrays) => {
      const length = arrays.reduce((sum, part) => sum + part.length, 0);
      if (arrays.some((part) => this.isComputed(part))) return this.concatenated(arrays, length);
      const array = new Int32Array(length);
      const parts = arrays.map((part) => this.list(part, 2 ** 31));
      this.newList(array, 0, parts, { name: 'indices', array: null });
      this.partsOf.set(array, arrays);
      return array;
    },
    task: (kind, dtype, arrays, parts) => this.add(kind, arrays, parts, dtype),
  };

  /** Indices one after the other, as values of the program. */
  private concatenated(arrays: readonly Int32Array[], length: number): Int32Array {
    const all = this.take('int32', length).standIn;
    let offset = 0;
    const add = (array: Int32Array): void => {
      const parts = this.partsOf.get(array);
      if (parts !== undefined) return parts.forEach(add);
      const from = this.computed.has(bufferOf(array)) ? array : Memory.over(array, 'int32').operand;
      const to = all.subarray(offset, offset + array.length);
      this.note('copy', 'int32', [this.ref(to), this.ref(from)], { sizes: [array.length] });
      offset += array.length;
    };
    arrays.forEach(add);
    return all;
  }

  /** @param dtype what the task works on; default: what it writes. */
  private add(
    kind: TaskKind,
    arrays: readonly (TensorArray | undefined)[],
    parts: Parts,
    dtype: TensorDType = heldBy(arrays[0])!,
  ): void {
    const out = this.computed.get(bufferOf(arrays[0]!));
    if (out?.where !== 'arena') refuseInTrace('writing into memory that is not of the function itself');
    const refs = arrays.map((array) => (array === undefined ? null : this.ref(array)));
    this.note(kind, dtype, refs, parts);
  }

  private note(kind: TaskKind, dtype: TensorDType, arrays: readonly (Ref | null)[], parts: Parts): void {
    const { option = 0, writes = 1, sizes = [], numbers = [], items = [], indices } = parts;
    const terms = (parts.terms ?? []).map((term) => this.ref(term));
    const list = indices === undefined ? null : this.list(indices.array, indices.limit);
    this.tasks.push({ kind, dtype, option, arrays, writes, sizes, numbers, items, terms, list });
  }

  private made<D extends TensorDType>(
    dtype: D,
    length: number,
    where: Value['where'],
  ): { memory: Memory<D>; value: Value } {
    const array = newArray(dtype, length);
    const value = new Value(dtype, length, where);
    this.computed.set(bufferOf(array), value);
    return { memory: Memory.traced(array, dtype), value };
  }

  private constant(array: FloatArray): Value {
    const dtype = heldBy(array)!;
    const key = lengthOf(array) === 1 ? `${dtype} ${Object.is(array[0], -0) ? '-0' : array[0]}` : undefined;
    const found = key === undefined ? undefined : this.scalars.get(key);
    if (found !== undefined) return found;
    const value = new Value(dtype, lengthOf(array), 'constant');
    this.constants.push({ value, array: array.slice() });
    if (key !== undefined) this.scalars.set(key, value);
    return value;
  }
}

const rows = (array: FloatArray, columns: number): [number, number] => [lengthOf(array) / columns, columns];
