import type { Tensor } from '../tensor/tensor';
import { binary, summed } from '../ops/primitives';
import { allocate } from '../autodiff/scope';
import { record } from '../autodiff/tape';

/** A factor that depends on a norm, and its derivative by the norm. */
export interface NormFactor {
  readonly value: number;
  readonly slope: number;
}

/**
 * xᵢ s(n) for all i, where n = √ Σ ‖xᵢ‖², recorded as differentiable:
 * dxᵢ = s(n) dyᵢ + s'(n) / n (Σⱼ xⱼ · dyⱼ) xᵢ.
 *
 * @param norms n, of a shape that broadcasts against every x: one norm for all, or one for each slice.
 * @param axes what each x is summed over to give the shape of `norms`.
 */
export function scaleByNorm(
  xs: readonly Tensor[],
  norms: Tensor,
  axesOf: (x: Tensor) => readonly number[],
  factorOf: (norm: number) => NormFactor,
): Tensor[] {
  const [first] = xs;
  const factors = allocate(first!.dtype, norms.shape, norms.size);
  const pulls = allocate(first!.dtype, norms.shape, norms.size); // s'(n) / n
  norms.raw.forEach((norm, i) => {
    const { value, slope } = factorOf(norm);
    factors.raw[i] = value;
    pulls.raw[i] = slope === 0 ? 0 : slope / norm;
  });
  record(xs, factors, (dFactors, needed) => {
    const pull = binary('multiply', dFactors, pulls);
    return xs.map((x, i) => (needed[i] ? binary('multiply', x, pull) : null));
  });
  return xs.map((x) =>
    record([x, factors], binary('multiply', x, factors), (dy, needed) => [
      needed[0] ? binary('multiply', dy, factors) : null,
      needed[1] ? summed(binary('multiply', dy, x), axesOf(x), norms.shape) : null,
    ]),
  );
}
