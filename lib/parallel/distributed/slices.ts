import { GradientAccumulator, type FloatArray, type Gradient, type GradientAndVariable, type Variable } from 'gradstep';
import type { Communicator } from '../communicator';
import { gradientOf, Has, newArray, partsOf, scaledBy } from '../pieces';

type Pairs = readonly (readonly [Gradient | null, Variable])[];

/**
 * Sums over ranks of gradients of which some are rows, as a `GradientAccumulator` makes them of one rank's after the other's:
 * all ranks bring all they have to all.
 *
 * @param which the numbers of the variables.
 * @returns what makes the sums times `factor`, in that order, of what has come.
 */
export function gatherSlices(
  communicator: Communicator,
  pairs: Pairs,
  which: readonly number[],
  factor: number,
): () => (Gradient | null)[] {
  const { size: ranks } = communicator;
  const mine = which.map((i) => pairs[i]!);
  const told = Float64Array.from(mine.flatMap(([gradient]) => whatOf(gradient)));
  const all = new Float64Array(ranks * told.length);
  communicator.allGather(told, all);
  const has = (rank: number, at: number): Has => all[rank * told.length + 2 * at]!;
  const lengthsOf = (rank: number, at: number): readonly [number, number] => {
    const { size, shape } = mine[at]![1];
    const count = all[rank * told.length + 2 * at + 1]!;
    if (has(rank, at) === Has.All) return [size, 0];
    return has(rank, at) === Has.Rows ? [(count * size) / Math.max(1, shape[0]!), count] : [0, 0];
  };
  const out = mine.flatMap(([, variable], at): (FloatArray | Int32Array)[] => {
    const lengths = Array.from({ length: ranks }, (_, rank) => lengthsOf(rank, at));
    const sum = (k: 0 | 1): number => lengths.reduce((total, length) => total + length[k], 0);
    return [newArray(variable, sum(0)), new Int32Array(sum(1))];
  });
  communicator.allGather(
    mine.flatMap(([gradient, variable]) => partsOf(gradient, variable)),
    out,
  );
  const next = out.map(() => 0);
  const pairsOf = (rank: number): GradientAndVariable[] =>
    mine.map(([, variable], at) => {
      const [values, indices] = lengthsOf(rank, at).map((length, k) => {
        const start = next[2 * at + k]!;
        next[2 * at + k] = start + length;
        return out[2 * at + k]!.subarray(start, start + length);
      }) as [FloatArray, Int32Array];
      return [gradientOf(has(rank, at), values, indices, variable), variable];
    });
  return () =>
    meansOf(
      Array.from({ length: ranks }, (_, rank) => pairsOf(rank)),
      factor,
    );
}

/** Those of all ranks, one after the other, times a factor: for each variable of a rank's. */
export function meansOf(ofRanks: readonly (readonly GradientAndVariable[])[], factor: number): (Gradient | null)[] {
  const accumulator = new GradientAccumulator({ reductionType: 'SUM' });
  for (const pairs of ofRanks) if (pairs.some(([gradient]) => gradient !== null)) accumulator.add(pairs);
  const sums = new Map(accumulator.take().map(([gradient, variable]) => [variable, gradient]));
  return ofRanks[0]!.map(([, variable]) => {
    const sum = sums.get(variable) ?? null;
    return sum && scaledBy(factor, sum);
  });
}

function whatOf(gradient: Gradient | null): [Has, number] {
  if (gradient === null) return [Has.Nothing, 0];
  return 'indices' in gradient ? [Has.Rows, gradient.indices.length] : [Has.All, 0];
}
