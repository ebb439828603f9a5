import type { Gradient, Variable } from 'gradstep';
import type { Replica } from './replica';

/** The gradients of one share, and its loss. */
export interface ShareGradients {
  readonly loss: number;
  /** One for each variable, or null. */
  readonly gradients: readonly (Gradient | null)[];
}

/** Computes them, eagerly. They stay until `discard`. */
export function gradientsOf(
  { optimizer, loss }: Replica,
  variables: readonly Variable[],
  step: number,
  share: number,
  shares: number,
): ShareGradients {
  const pairs = optimizer.computeGradients(() => loss({ step, share, shares }), { varList: variables });
  let sum = 0;
  for (const value of pairs.loss.data) sum += value;
  pairs.loss.dispose();
  return { loss: sum, gradients: pairs.map(([gradient]) => gradient) };
}

/** Gives their memory back. */
export function discard({ gradients }: ShareGradients): void {
  for (const gradient of gradients) gradient?.dispose();
}

/** The shares of a rank: neighbours, so that the order of ranks is that of shares. */
export function sharesOf(rank: number, workers: number, shares: number): readonly [first: number, end: number] {
  return [Math.floor((rank * shares) / workers), Math.floor(((rank + 1) * shares) / workers)];
}

/** Pairs for an optimizer. */
export function pairsOf(
  gradients: readonly (Gradient | null)[],
  variables: readonly Variable[],
): [Gradient | null, Variable][] {
  return variables.map((variable, i) => [gradients[i] ?? null, variable]);
}
