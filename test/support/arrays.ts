import fc from 'fast-check';

// Arrays of any number of dimensions in plain JavaScript: what ops on shapes are compared with.

/** All indices of a shape, in order. */
export function* indicesOf(shape: readonly number[]): Generator<number[]> {
  const size = shape.reduce((product, dim) => product * dim, 1);
  for (let i = 0; i < size; i++) {
    const index = new Array<number>(shape.length);
    let rest = i;
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
    yield index;
  }
}

/** Where an element lies in an array of that shape. */
export const placeOf = (index: readonly number[], shape: readonly number[]): number =>
  shape.reduce((place, dim, d) => place * dim + index[d]!, 0);

/** The elements of a shape, each from its index. */
export function elements(shape: readonly number[], f: (index: number[]) => number): number[] {
  return Array.from(indicesOf(shape), f);
}

/** Reads an array by index. */
export const reader =
  (data: ArrayLike<number>, shape: readonly number[]) =>
  (index: readonly number[]): number =>
    data[placeOf(index, shape)]!;

/** Shapes of up to so many dimensions, some of size 0 and 1, a few longer than a vector. */
export const shapes = (mostDimensions: number, leastDimensions = 0): fc.Arbitrary<number[]> =>
  fc
    .array(fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(0, 1, 17, 33)), {
      minLength: leastDimensions,
      maxLength: mostDimensions,
    })
    .filter((shape) => shape.reduce((product, dim) => product * dim, 1) <= 4000);
