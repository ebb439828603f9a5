// Functions that JavaScript has not, in float64, to about 1e-15.

/** 2 / √π ∫₀ˣ exp(-t²) dt. */
export function erf(x: number): number {
  if (x === 0) return x;
  if (!(Math.abs(x) < 2)) return x !== x ? NaN : Math.sign(x) * (1 - erfcOf(Math.abs(x)));
  let [sum, term] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** 1 - erf x, without cancellation. */
export function erfc(x: number): number {
  if (x !== x) return NaN;
  return x < 2 ? 1 - erf(x) : erfcOf(x);
}

/** By its continued fraction, for x >= 2. */
function erfcOf(x: number): number {
  if (x === Infinity) return 0;
  let fraction = x;
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/** The probability that a standard normal number is less than x. */
export const normalBelow = (x: number): number => erfc(-x / Math.SQRT2) / 2;
export const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
