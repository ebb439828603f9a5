import { shown } from '../checks';
import { toIndices, type IndicesLike } from '../tensor/indexed-slices';
import { alias, isTensor, type Int32Tensor } from '../tensor/tensor';
import { trace } from '../tensor/trace';

// Labels of sequences, and how long these are. What comes with each run of what is compiled has no values here: it is looked
// at in the run.

const hasValues = (given: unknown): boolean => trace === null || !isTensor(given);

/** How many times each sequence has. */
export function lengthsOf(given: IndicesLike | undefined, batch: number, times: number): Int32Array {
  if (given === undefined) return new Int32Array(batch).fill(times);
  const lengths = toIndices('sequenceLength', given);
  if (lengths.length !== batch) {
    throw new RangeError(`sequenceLength has ${lengths.length} elements, logits has ${batch} sequences`);
  }
  if (!hasValues(given)) return lengths;
  const stray = lengths.find((length) => length < 0 || length > times);
  if (stray !== undefined) {
    throw new RangeError(`sequenceLength must be whole numbers from 0 to the ${times} times of logits, got ${stray}`);
  }
  return lengths;
}

/** What is to hold of labels. */
interface Expected {
  readonly batch: number;
  readonly classes: number;
  /** Of each sequence; null where they have no values here. */
  readonly lengths: Int32Array | null;
  readonly collapses: boolean;
}

/** Labels in rows of one width, filled up with blanks. */
export function labelsOf(
  given: IndicesLike | readonly IndicesLike[],
  expected: Expected,
): { padded: Int32Array; width: number } {
  const { batch, classes } = expected;
  if (!hasValues(given)) {
    const all = toIndices('labels', given as IndicesLike);
    return { padded: all, width: widthOf(all, batch) };
  }
  const lists = listsOf(given, batch);
  const width = lists.reduce((most, { length }) => Math.max(most, length), 0);
  const padded = new Int32Array(batch * width).fill(classes - 1);
  lists.forEach((list, i) => {
    check(list, i, expected);
    padded.set(list, i * width);
  });
  return { padded, width };
}

function listsOf(given: IndicesLike | readonly IndicesLike[], batch: number): Int32Array[] {
  const isOfLists = Array.isArray(given) && given.some((item) => typeof item !== 'number');
  if (isOfLists || (Array.isArray(given) && given.length === 0)) {
    const lists = (given as readonly IndicesLike[]).map((list, i) => toIndices(`labels[${i}]`, list));
    if (lists.length !== batch) throw new RangeError(`labels has ${lists.length} lists, logits has ${batch} sequences`);
    return lists;
  }
  const all = toIndices('labels', given as IndicesLike);
  const width = widthOf(all, batch);
  return Array.from({ length: batch }, (_, i) => all.subarray(i * width, (i + 1) * width));
}

function widthOf({ length }: Int32Array, batch: number): number {
  const width = batch === 0 ? 0 : length / batch;
  if (!Number.isInteger(width) || width * batch !== length) {
    throw new RangeError(`labels has ${length} elements, expected as many for each of the ${batch} sequences`);
  }
  return width;
}

function check(list: Int32Array, i: number, { classes, lengths, collapses }: Expected): void {
  const blank = classes - 1;
  const stray = list.find((label) => label < 0 || label > blank);
  if (stray !== undefined) {
    throw new RangeError(`labels[${i}] must hold classes, whole numbers from 0 to ${blank - 1}, got ${shown(stray)}`);
  }
  const end = list.indexOf(blank);
  if (end >= 0 && list.subarray(end).some((label) => label !== blank)) {
    throw new RangeError(`labels[${i}] must hold no label after a blank, which is ${blank}`);
  }
  const count = list.filter((label, k) => label !== blank && !(collapses && label === list[k - 1])).length;
  if (lengths !== null && count > lengths[i]!) {
    throw new RangeError(
      `labels[${i}] has ${count} labels, which do not fit into the ${lengths[i]} times of its sequence: ` +
        'ignoreLongerOutputsThanInputs leaves it out',
    );
  }
}

/** Lengths whose values are known here, or null. */
export const knownLengths = (given: IndicesLike | undefined, lengths: Int32Array): Int32Array | null =>
  hasValues(given) ? lengths : null;

/** What tasks take for indices: the tensor that was given, or one over these. */
export const asTensor = (given: unknown, own: Int32Array): Int32Tensor =>
  hasValues(given) ? alias(own, 'int32', [own.length]) : (given as Int32Tensor);
