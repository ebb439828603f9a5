import { expect } from 'chai';
import {
  gradients,
  IndexedSlices,
  tensor,
  tidy,
  type DType,
  type FloatArray,
  type Gradient,
  type Tensor,
} from 'gradstep';

/** Sizes around a vector's 8 and 16 lanes, where the last, partial one goes wrong. */
export const awkwardSizes = [0, 1, 15, 16, 17, 31, 33];

/** The same numbers in [0, 1) every time, another row of them for each seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A tensor of numbers in [low, high). */
export function randomTensor(
  shape: readonly number[],
  {
    seed = 1,
    low = -2,
    high = 2,
    dtype = 'float64',
  }: { seed?: number; low?: number; high?: number; dtype?: DType } = {},
): Tensor {
  const random = randomNumbers(seed + 31 * shape.length + shape.reduce((sum, dim) => sum + dim, 0));
  const size = shape.reduce((product, dim) => product * dim, 1);
  return tensor(
    Float64Array.from({ length: size }, () => low + (high - low) * random()),
    shape,
    dtype,
  );
}

export function denseOf(gradient: Gradient | null | undefined): FloatArray {
  if (gradient === null || gradient === undefined) throw new Error('there is no gradient');
  return (gradient instanceof IndexedSlices ? gradient.toDense() : gradient).data;
}

/** |actual - expected| <= tolerance max(1, |expected|), element by element; NaN equals NaN, an infinity itself. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'values',
): void {
  expect(actual.length, `number of ${what}`).to.equal(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e) continue;
    if (!(Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e)))) {
      expect.fail(`${what}[${i}] is ${a}, expected ${e} within ${tolerance}`);
    }
  }
}

/**
 * Compares the gradients of Σ w f(xs), for arbitrary weights w, with central differences: (f(x + h) - f(x - h)) / 2h.
 * With h near the cube root of float64's precision the difference is good to about 1e-9 for a function that is smooth
 * and of size 1.
 */
export function expectGradients(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], tolerance = 1e-7): void {
  const weights = tidy(() => randomTensor(f(...xs).shape, { seed: 99, low: 0.5, high: 1.5 }));
  const found = gradients(() => f(...xs), xs, { gradYs: weights });
  const weighted = (): number => {
    let sum = 0;
    tidy(() => f(...xs).data.forEach((y, i) => (sum += y * weights.data[i]!)));
    return sum;
  };
  xs.forEach((x, index) => {
    const numeric = x.data.map((value, i) => {
      const h = 1e-5 * Math.max(1, Math.abs(value));
      x.data[i] = value + h;
      const above = weighted();
      x.data[i] = value - h;
      const below = weighted();
      x.data[i] = value;
      return (above - below) / (2 * h);
    });
    expectClose(
      denseOf(found[index]),
      numeric,
      tolerance,
      `gradient of input ${index} of shape [${x.shape.join(', ')}]`,
    );
  });
}

/** Compares value and gradients in float32 with those in float64, from the same float32 inputs. */
export function expectFloat32(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], tolerance: number): void {
  const narrow = xs.map((x) => tensor(x.data, x.shape, 'float32'));
  const wide = narrow.map((x) => tensor(x.data, x.shape, 'float64'));
  const value = f(...narrow);
  expect(value.dtype).to.equal('float32');
  expectClose(value.data, f(...wide).data, tolerance);
  const gradYs = randomTensor(value.shape, { seed: 99, low: 0.5, high: 1.5, dtype: 'float32' });
  const found = gradients(() => f(...narrow), narrow, { gradYs });
  const expected = gradients(() => f(...wide), wide, { gradYs: tensor(gradYs.data, gradYs.shape, 'float64') });
  found.forEach((gradient, i) => {
    expect(gradient!.dtype).to.equal('float32');
    expectClose(denseOf(gradient), denseOf(expected[i]), tolerance, `float32 gradient of input ${i}`);
  });
}
