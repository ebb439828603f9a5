import { toTensor, type TensorLike } from '../autodiff/tape';
import { checkRange, isWhole, shown } from '../checks';
import { native } from '../native';
import { checkOptions, type NamesOf } from '../options';
import { copyInto, kindOf, lengthOf } from '../tensor/arrays';
import { showShape } from '../tensor/shape';
import { unitNumbers, type SeedOptions } from './distributions';
import { checkOptionalSeed, type DrawSource } from './draw';

const classes = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

/** What can be shuffled: an array, or a typed array of any kind. */
export type Shuffleable =
  | readonly unknown[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

const seedNames: NamesOf<SeedOptions> = { seed: true };

function seedOf(options: SeedOptions): number | undefined {
  checkOptions('options', options, seedNames);
  const { seed } = options;
  checkOptionalSeed(seed);
  return seed;
}

// What indices are: see gather.
const mostIndices = 2 ** 31 - 1;

/** Swaps each element, from the last on, with one that is not behind it: every order is equally likely. */
function reorder(items: { [index: number]: unknown }, length: number, numbers: Float64Array): void {
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(numbers[i]! * (i + 1)); // at most i: no number below 1 times i + 1 rounds to i + 1
    const item = items[i];
    items[i] = items[j];
    items[j] = item;
  }
}

export function permutation(source: DrawSource, n: number, options: SeedOptions): Int32Array {
  checkRange('n', n, `a whole number from 0 to ${mostIndices}`, (value) => isWhole(value) && value <= mostIndices);
  const seed = seedOf(options);
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  reorder(order, n, unitNumbers(source, n, seed));
  return order;
}

export function shuffle<A extends Shuffleable>(source: DrawSource, array: A, options: SeedOptions): A {
  const seed = seedOf(options);
  const copy = copyOf(array);
  reorder(copy, copy.length, unitNumbers(source, copy.length, seed));
  return copy as unknown as A;
}

function copyOf(array: unknown): { [index: number]: unknown; readonly length: number } {
  if (Array.isArray(array)) return [...(array as unknown[])];
  const Class = classes[kindOf(array) as keyof typeof classes] as typeof Float32Array | undefined;
  if (Class === undefined) {
    const hint = shown(array) === 'a Tensor' ? ': ops.gather(x, random.permutation(x.shape[0])) shuffles its rows' : '';
    throw new TypeError(`array must be an array or a typed array, got ${shown(array)}${hint}`);
  }
  const copy = new Class(lengthOf(array));
  copyInto(copy, array as Float32Array);
  return copy;
}

/** Each row's running sums of its probabilities. @throws RangeError for rows that have none. */
function sumsOf(logits: Float64Array, classes: number): Float64Array {
  const sums = new Float64Array(logits.length);
  native.softmax(sums, logits, classes);
  for (let start = 0; start < sums.length; start += classes) {
    let sum = 0;
    for (let i = start; i < start + classes; i++) sums[i] = sum += sums[i]!;
    if (!(sum > 0)) {
      throw new RangeError(
        `logits must be numbers below Infinity, in each row one above -Infinity: row ${start / classes} is not`,
      );
    }
  }
  return sums;
}

/** The first of the sums from `start` up to `last` that is above `target`; the last one is. */
function firstAbove(sums: Float64Array, start: number, last: number, target: number): number {
  let [low, high] = [start, last];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function categorical(
  source: DrawSource,
  logits: TensorLike,
  numSamples: number,
  options: SeedOptions,
): Int32Array {
  const input = toTensor('logits', logits);
  checkRange('numSamples', numSamples, 'a whole number that is not negative', isWhole);
  const seed = seedOf(options);
  const { shape } = input;
  const classes = shape.at(-1) ?? 0;
  if (shape.length > 2 || classes === 0) {
    throw new RangeError(`logits must be [classes] or [batch, classes], got shape ${showShape(shape)}`);
  }
  input.memory.locate(); // says so when it is gone
  const sums = sumsOf(new Float64Array(input.data), classes);
  const out = new Int32Array((sums.length / classes) * numSamples);
  const numbers = unitNumbers(source, out.length, seed);
  for (let i = 0; i < out.length; i++) {
    const start = Math.floor(i / numSamples) * classes;
    const last = start + classes - 1;
    out[i] = firstAbove(sums, start, last, numbers[i]! * sums[last]!) - start;
  }
  return out;
}
