/** Two sides that were to be compared compute different things: there is no sense in timing them. */
export class Disagreement extends Error {}

/**
 * Throws unless |a − b| ≤ tolerance · (scale + |b|) for every element of both.
 * @param scale what to call large; without it zeros would have to be met exactly.
 */
export function expectClose(
  what: string,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  tolerance: number,
  scale = 0,
): void {
  if (a.length !== b.length) throw new Disagreement(`${what}: ${a.length} and ${b.length} elements`);
  for (let i = 0; i < a.length; i++) {
    if (!(Math.abs(a[i]! - b[i]!) <= tolerance * (scale + Math.abs(b[i]!)))) {
      throw new Disagreement(`${what}: element ${i} is ${a[i]} here and ${b[i]} there`);
    }
  }
}
