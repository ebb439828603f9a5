import { traitsOf, type SafetensorsDType } from './dtypes';

const mostBits = 2n ** 64n - 1n;

/**
 * How many elements a shape has; undefined when that overflows 64 bits on the way, from left to right, as it does in the
 * reference implementation: [2^40, 2^40, 0] is refused, [0, 2^40, 2^40] is not.
 */
export function sizeOf(shape: readonly number[]): number | undefined {
  const size = shape.reduce((product, length) => product * length, 1);
  const largest = shape.reduce((product, length) => product * Math.max(1, length), 1);
  if (largest <= Number.MAX_SAFE_INTEGER) return size;
  let exact = 1n;
  for (const length of shape) {
    exact *= BigInt(length);
    if (exact > mostBits) return undefined;
  }
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : undefined;
}

/** The bytes that elements take; undefined when they fill no whole number of them. */
export function bytesFor(size: number, dtype: SafetensorsDType): number | undefined {
  const { bits } = traitsOf(dtype);
  if (bits % 8 === 0) return size * (bits / 8);
  const whole = Math.floor(size / 8);
  const rest = (size % 8) * bits;
  return rest % 8 === 0 ? whole * bits + rest / 8 : undefined;
}
