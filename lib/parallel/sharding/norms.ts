import { IndexedSlices, type Gradient, type Tensor } from 'gradstep';
import { formatNumber, native } from '../../native';
import type { Communicator } from '../communicator';
import { blocksIn, blockElements } from './partition';
import type { Part } from './parts';

/** What a norm is of: this rank's part of a dense gradient, or all of a sparse one, which all ranks have. */
export interface Summand {
  readonly part: Part;
  readonly gradient: Gradient;
}

const blocksOf = (elements: number): number => Math.ceil(elements / blockElements);

/** The sums of squares of all blocks of each, in their order: norms made of them have the bits of those of the whole. */
export function blockSums(communicator: Communicator, summands: readonly Summand[]): Float64Array[] {
  const { size } = communicator;
  const dense = summands.filter(({ gradient }) => !(gradient instanceof IndexedSlices));
  const own = squares(dense.map(({ gradient }) => gradient as Tensor));
  const all = ofAllRanks(communicator, dense, own);
  const ends = all.starts.slice();
  return summands.map(({ part, gradient }) => {
    if (gradient instanceof IndexedSlices) return squares([gradient.values]);
    const sums = new Float64Array(part.ranges.reduce((sum, range) => sum + blocksIn(range), 0));
    let at = 0;
    for (let rank = 0; rank < size; rank++) {
      const count = blocksIn(part.ranges[rank]!);
      sums.set(all.sums.subarray(ends[rank], ends[rank]! + count), at);
      ends[rank]! += count;
      at += count;
    }
    return sums;
  });
}

function ofAllRanks(communicator: Communicator, dense: readonly Summand[], own: Float64Array) {
  const starts: number[] = [];
  let total = 0;
  for (let rank = 0; rank < communicator.size; rank++) {
    starts.push(total);
    for (const { part } of dense) total += blocksIn(part.ranges[rank]!);
  }
  const sums = new Float64Array(total);
  communicator.allGather(own, sums);
  return { starts, sums };
}

let table = new Float64Array(48);

/** The sums of squares of the blocks of all tensors, one after the other. */
function squares(tensors: readonly Tensor[]): Float64Array {
  const sums = new Float64Array(tensors.reduce((sum, { size }) => sum + blocksOf(size), 0));
  let end = 0;
  for (let first = 0; first < tensors.length;) {
    let last = first;
    let blocks = 0;
    while (last < tensors.length && tensors[last]!.dtype === tensors[first]!.dtype)
      blocks += blocksOf(tensors[last++]!.size);
    squaresOfOne(tensors.slice(first, last), sums.subarray(end, end + blocks));
    end += blocks;
    first = last;
  }
  return sums;
}

/** Those of one dtype. */
function squaresOfOne(tensors: readonly Tensor[], out: Float64Array): void {
  if (table.length < 3 * tensors.length) table = new Float64Array(6 * tensors.length);
  tensors.forEach(({ memory, factor }, i) => table.set([memory.locate(), memory.length, factor], 3 * i));
  native.sumsOfSquaresAt(table, tensors.length, formatNumber[tensors[0]!.dtype], out);
}

/** √ of the sum of all, as `globalNorm` adds them: those of each dtype for themselves. */
export function globalNormOf(sums: readonly Float64Array[], summands: readonly Summand[]): number {
  let total = 0;
  for (const dtype of ['float32', 'float64'] as const) {
    let sum = 0;
    sums.forEach((blocks, i) => {
      if (summands[i]!.part.own.dtype === dtype) for (const block of blocks) sum += block;
    });
    total += sum;
  }
  return Math.sqrt(total);
}

export const normOf = (blocks: Float64Array): number => Math.sqrt(blocks.reduce((sum, block) => sum + block, 0));
