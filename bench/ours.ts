import { AdamOptimizer, Variable, clipByGlobalNorm, runtime, tensor, type Tensor } from 'gradstep';
import { numbers, weights } from './data';
import { timed } from './harness';
import { sampled, type Side } from './sides';

export const adamBytes = (parameters: number): number => 4 * 7 * parameters;

export interface Pairs {
  readonly pairs: readonly (readonly [Tensor, Variable])[];
  /** [gradient, w, m, v] of each variable, once the optimizer has made its slots. */
  arrays(optimizer: AdamOptimizer): Float32Array[][];
}

/** Variables of these sizes with their gradients, on the numbers all peers use. */
export function pairsOf(sizes: readonly number[]): Pairs {
  // Tensors, as computeGradients gives them: clipping a typed array writes a new one, clipping a tensor writes nothing.
  const gradients = sizes.map((n) => tensor(numbers(n, 5, 1)));
  const variables = sizes.map((n) => Variable.over(weights(n, 7, 2 ** -6)));
  return {
    pairs: variables.map((variable, i) => [gradients[i]!, variable] as const),
    arrays: (optimizer) =>
      variables.map((variable, i) => {
        const slots = ['m', 'v'].map((name) => optimizer.getSlot(variable, name)!.data as Float32Array);
        return [gradients[i]!.data as Float32Array, variable.data as Float32Array, ...slots];
      }),
  };
}

/** One step of `applyGradients`, after `clipByGlobalNorm` where a norm is given. */
export function adamSide(
  name: string,
  { pairs }: Pairs,
  {
    optimizer = new AdamOptimizer(),
    clipNorm,
    threads,
  }: { optimizer?: AdamOptimizer; clipNorm?: number; threads?: number } = {},
): Side {
  const step =
    clipNorm === undefined
      ? () => optimizer.applyGradients(pairs)
      : () => optimizer.applyGradients(clipByGlobalNorm(pairs, clipNorm)[0]);
  const prepare = threads === undefined ? undefined : () => void (runtime.threads = threads);
  return { ...timed(name, step, prepare), result: () => sampled(pairs.at(-1)![1].data) };
}
