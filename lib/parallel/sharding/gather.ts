import { internals, type FloatArray, type Variable } from 'gradstep';
import type { Communicator } from '../communicator';
import { blockElements } from './partition';
import type { Part } from './parts';

const { pieceOf } = internals;

/** A variable, where it lies, and what each rank has of it. */
interface Place {
  readonly array: FloatArray;
  readonly dtype: Variable['dtype'];
  readonly size: number;
  readonly ranges: Part['ranges'];
}

/** How all ranks get all of the variables: located here, made after the step. Small ones go together. */
export class Gather {
  private readonly large: readonly Place[];
  /** By dtype. */
  private readonly small: readonly (readonly Place[])[];

  /** @throws Error when the memory of a variable is gone. */
  constructor(parts: readonly Part[]) {
    const places = parts.map(({ whole: { memory, dtype, size }, ranges }): Place => {
      return { array: memory.array, dtype, size, ranges };
    });
    this.large = places.filter(({ size }) => size > blockElements);
    const small = places.filter(({ size }) => size > 0 && size <= blockElements);
    this.small = (['float32', 'float64'] as const)
      .map((dtype) => small.filter((place) => place.dtype === dtype))
      .filter((list) => list.length > 0);
  }

  make(communicator: Communicator): void {
    const { rank, size: ranks } = communicator;
    const own = ({ array, ranges }: Place): FloatArray => pieceOf(array, ...bounds(ranges, rank));
    const packed = this.small.map((places) => joined(places, rank));
    const out = this.small.map((places) => {
      return newArray(
        places[0]!.dtype,
        places.reduce((sum, { size }) => sum + size, 0),
      );
    });
    const { large } = this;
    communicator.allGather([...large.map(own), ...packed], [...large.map(({ array }) => array), ...out]);
    this.small.forEach((places, i) => {
      let at = 0;
      for (let from = 0; from < ranks; from++) {
        for (const { array, ranges } of places) {
          const [begin, end] = ranges[from]!;
          if (from !== rank) pieceOf(array, begin, end).set(pieceOf(out[i]!, at, at + end - begin));
          at += end - begin;
        }
      }
    });
  }
}

const bounds = (ranges: Part['ranges'], rank: number): [number, number] => [ranges[rank]![0], ranges[rank]![1]];

const newArray = (dtype: Variable['dtype'], length: number): FloatArray =>
  dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);

/** What a rank has of all of them, one after the other. */
function joined(places: readonly Place[], rank: number): FloatArray {
  const all = newArray(
    places[0]!.dtype,
    places.reduce((sum, { ranges }) => sum + ranges[rank]![1] - ranges[rank]![0], 0),
  );
  let at = 0;
  for (const { array, ranges } of places) {
    const [begin, end] = bounds(ranges, rank);
    all.set(pieceOf(array, begin, end), at);
    at += end - begin;
  }
  return all;
}
