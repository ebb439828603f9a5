import { shown } from '../checks';
import { toIndices, type IndicesLike } from '../tensor/indexed-slices';
import { refuseInTrace, trace } from '../tensor/trace';

/** How many times each sequence has. */
export function lengthsOf(given: IndicesLike | undefined, batch: number, times: number): Int32Array {
  if (given === undefined) return new Int32Array(batch).fill(times);
  const lengths = Int32Array.from(values('sequenceLength', given));
  if (lengths.length !== batch) {
    throw new RangeError(`sequenceLength has ${lengths.length} elements, logits has ${batch} sequences`);
  }
  const stray = lengths.find((length) => length < 0 || length > times);
  if (stray !== undefined) {
    throw new RangeError(`sequenceLength must be whole numbers from 0 to the ${times} times of logits, got ${stray}`);
  }
  return lengths;
}

/** Labels in rows of one width, filled up with blanks. */
export function labelsOf(
  given: IndicesLike | readonly IndicesLike[],
  lengths: Int32Array,
  classes: number,
  { collapses, ignoresLonger }: { collapses: boolean; ignoresLonger: boolean },
): { padded: Int32Array; width: number } {
  const lists = listsOf(given, lengths.length);
  const width = lists.reduce((most, { length }) => Math.max(most, length), 0);
  const blank = classes - 1;
  const padded = new Int32Array(lists.length * width).fill(blank);
  lists.forEach((list, i) => {
    check(list, i, blank);
    padded.set(list, i * width);
    const count = list.filter((label, k) => label !== blank && !(collapses && label === list[k - 1])).length;
    if (count > lengths[i]! && !ignoresLonger) {
      throw new RangeError(
        `labels[${i}] has ${count} labels, which do not fit into the ${lengths[i]} times of its sequence: ` +
          'ignoreLongerOutputsThanInputs leaves it out',
      );
    }
  });
  return { padded, width };
}

function listsOf(given: IndicesLike | readonly IndicesLike[], batch: number): Int32Array[] {
  const isOfLists = Array.isArray(given) && given.some((item) => typeof item !== 'number');
  if (isOfLists || (Array.isArray(given) && given.length === 0)) {
    const lists = (given as readonly IndicesLike[]).map((list, i) => values(`labels[${i}]`, list));
    if (lists.length !== batch) throw new RangeError(`labels has ${lists.length} lists, logits has ${batch} sequences`);
    return lists;
  }
  const all = values('labels', given as IndicesLike);
  const width = batch === 0 ? 0 : all.length / batch;
  if (!Number.isInteger(width) || width * batch !== all.length) {
    throw new RangeError(`labels has ${all.length} elements, expected as many for each of the ${batch} sequences`);
  }
  return Array.from({ length: batch }, (_, i) => all.subarray(i * width, (i + 1) * width));
}

function check(list: Int32Array, i: number, blank: number): void {
  const stray = list.find((label) => label < 0 || label > blank);
  if (stray !== undefined) {
    throw new RangeError(`labels[${i}] must hold classes, whole numbers from 0 to ${blank - 1}, got ${shown(stray)}`);
  }
  const end = list.indexOf(blank);
  if (end >= 0 && list.subarray(end).some((label) => label !== blank)) {
    throw new RangeError(`labels[${i}] must hold no label after a blank, which is ${blank}`);
  }
}

function values(name: string, given: IndicesLike): Int32Array {
  if (trace !== null) refuseInTrace('ctcLoss'); // its labels are looked at here
  return toIndices(name, given);
}
