import { checkOptions, type NamesOf } from '../options';
import { checkBoolean } from '../checks';
import { normalizeAxes } from '../tensor/shape';
import type { AnyTensor } from '../tensor/tensor';

export interface ReduceOptions {
  /** Whether reduced dimensions stay, with size 1. Default: false. */
  keepDims?: boolean;
}

const reduceNames: NamesOf<ReduceOptions> = { keepDims: true };

/** What a reduction of x over `axes` comes to. */
export interface Reduction {
  /** Sorted positions. */
  readonly axes: readonly number[];
  /** The result's shape. */
  readonly shape: readonly number[];
  /** The same with reduced dimensions of size 1: what broadcasts against x. */
  readonly keptShape: readonly number[];
  /** How many elements go into each of the result's. */
  readonly count: number;
}

export function reductionOf(
  x: AnyTensor,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
): Reduction {
  checkOptions('options', options, reduceNames);
  const { keepDims = false } = options;
  checkBoolean('keepDims', keepDims);
  const positions = normalizeAxes('axes', axes, x.shape.length);
  const keptShape = x.shape.map((size, d) => (positions.includes(d) ? 1 : size));
  return {
    axes: positions,
    shape: keepDims ? keptShape : x.shape.filter((_, d) => !positions.includes(d)),
    keptShape,
    count: positions.reduce((product, d) => product * x.shape[d]!, 1),
  };
}
