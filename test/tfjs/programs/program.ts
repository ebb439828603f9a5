import { expect } from 'chai';

/** What a program prints: the losses of its steps, which may differ by what float32 rounds. */
export function expectSameLosses(losses: readonly number[], expected: readonly number[], tolerance = 1e-5): void {
  expect(losses.length).to.equal(expected.length);
  losses.forEach((loss, i) =>
    expect(loss, `the loss of step ${i}`).to.be.closeTo(expected[i]!, tolerance * (1 + Math.abs(expected[i]!))),
  );
}

/** A program that learns nothing would prove nothing. */
export function expectLearning(losses: readonly number[], factor: number): void {
  expect(losses.every(Number.isFinite)).to.equal(true);
  expect(losses.at(-1)! / losses[0]!, 'the last loss beside the first').to.be.below(factor);
}

/** Numbers that look random, the same each time. */
export function noise(n: number, seed: number, scale = 1): Float32Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Float32Array.from({ length: n }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return scale * (state / 2 ** 31 - 1);
  });
}
