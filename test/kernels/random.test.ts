import { expect } from 'chai';
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { native } from '../../lib/native';
import { bytesOf, dtypes, expectSameEverywhere, lengths, random, shortLengths, unaligned } from '../support/parity';
import { philox, wordsOf } from '../support/philox';

type Kernel = (out: Float32Array | Float64Array, key: number, stream: number, counter: number) => void;

/** Every kernel, and how many words a number takes: in float64, where that is another count. */
const kernels: Readonly<Record<string, readonly [Kernel, wordsOfDouble: number]>> = {
  uniform: [(out, ...draw) => native.randomUniform(out, ...draw, -3, 5), 2],
  normal: [(out, ...draw) => native.randomNormal(out, ...draw, 1, 2, false), 2],
  'truncated normal': [(out, ...draw) => native.randomNormal(out, ...draw, 1, 2, true), 2],
  bernoulli: [(out, ...draw) => native.randomBernoulli(out, ...draw, 0.3), 1],
  dropout: [(out, ...draw) => native.dropout(out, out.fill(2), ...draw, 0.3), 1],
};

const whole = fc.maxSafeNat();

describe('random kernels', () => {
  it('are compared with a Philox that gives the vectors that Random123 publishes', () => {
    const all = 0xffffffff;
    expect(philox([0, 0, 0, 0], [0, 0])).to.deep.equal([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(philox([all, all, all, all], [all, all])).to.deep.equal([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).to.deep.equal([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  it('make of each word, or two in float64, a number in [0, 1)', () => {
    fc.assert(
      fc.property(whole, whole, whole, fc.nat(100), (key, stream, start, n) => {
        const counter = Math.max(0, start - 100);
        const words = wordsOf(key, stream, counter, 2 * n);
        const [single, double] = [new Float32Array(n), new Float64Array(n)];
        native.randomUniform(single, key, stream, counter, 0, 1);
        native.randomUniform(double, key, stream, counter, 0, 1);
        expect([...single]).to.deep.equal(words.slice(0, n).map((word) => (word >>> 8) / 2 ** 24));
        const pairs = Array.from({ length: n }, (_, i) => [words[2 * i]!, words[2 * i + 1]!] as const);
        expect([...double]).to.deep.equal(pairs.map(([low, high]) => (high * 2 ** 21 + (low >>> 11)) / 2 ** 53));
      }),
    );
  });

  it('decide by one word each, in both dtypes alike', () => {
    fc.assert(
      fc.property(whole, whole, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(100), (key, stream, p, n) => {
        const expected = wordsOf(key, stream, 5, n).map((word) => (word < Math.round(p * 2 ** 32) ? 1 : 0));
        for (const [, make] of dtypes) {
          const out = make(n);
          native.randomBernoulli(out, key, stream, 5, p);
          expect([...out]).to.deep.equal(expected);
          if (p === 1 || Math.round(p * 2 ** 32) === 2 ** 32) continue;
          native.dropout(out, make(n).fill(3), key, stream, 5, p);
          const kept = make(1).fill(3 * make(1).fill(1 / (1 - p))[0]!)[0]!;
          expect([...out]).to.deep.equal(expected.map((isDropped) => (isDropped ? 0 : kept)));
        }
      }),
    );
  });

  it('leave the bits that they leave on every system', () => {
    const hash = createHash('sha256');
    for (const [, make] of dtypes) {
      for (const [kernel] of Object.values(kernels)) {
        const out = make(10_000);
        kernel(out, 2 ** 40 + 1, 2, 3);
        hash.update(new Uint8Array(out.buffer));
      }
    }
    expect(hash.digest('hex')).to.equal('334eefc07d41e3aa715ceaea1c4aa09aac7d7d385c9626a46f3b9c22347e32ec');
  });

  for (const [dtype, make] of dtypes) {
    for (const [name, [kernel, wordsOfDouble]] of Object.entries(kernels)) {
      it(`${name} gives the same bits everywhere (${dtype})`, () => {
        for (const n of lengths) {
          expectSameEverywhere(`${name} of ${n}`, () => {
            const out = unaligned(make, n);
            kernel(out, 7, 8, 2 ** 32 - 9);
            return [out];
          });
        }
      });

      it(`${name} gives the same numbers in parts as at once (${dtype})`, () => {
        const perBlock = dtype === 'float32' ? 4 : 4 / wordsOfDouble;
        const out = make(40001);
        kernel(out, 1, 2, 3);
        fc.assert(
          fc.property(fc.nat(Math.floor(out.length / perBlock)), fc.nat(20000), (blocks, length) => {
            const rest = out.subarray(blocks * perBlock);
            const part = make(Math.min(rest.length, length));
            kernel(part, 1, 2, 3 + blocks);
            expect(bytesOf([part])).to.equal(bytesOf([rest.subarray(0, part.length)]));
          }),
          { numRuns: 30 },
        );
      });
    }

    it(`write nothing past the end (${dtype})`, () => {
      for (const [kernel] of Object.values(kernels)) {
        for (const n of shortLengths) {
          const guarded = make(n + 40).fill(7);
          const out = guarded.subarray(3, 3 + n);
          kernel(out, 1, 2, 3);
          const rest = make(n + 40).fill(7);
          rest.set(out, 3);
          expect(bytesOf([guarded])).to.equal(bytesOf([rest]));
        }
      }
    });

    it(`drop whatever it was: NaN and infinities become 0 (${dtype})`, () => {
      const x = random(make, 1000, 3, true);
      const [y, isDropped] = [make(1000), make(1000)];
      native.dropout(y, x, 1, 2, 3, 0.5);
      native.randomBernoulli(isDropped, 1, 2, 3, 0.5);
      const expected = x.map((value, i) => (isDropped[i] === 1 ? 0 : value * 2));
      expect(bytesOf([y])).to.equal(bytesOf([expected]));
    });
  }

  it('refuse what is out of range, and write nothing', () => {
    const out = new Float32Array(3).fill(7);
    expect(() => native.randomUniform(out, 0, 0, 0, 1, 1)).to.throw(RangeError, 'low must be below high');
    expect(() => native.randomUniform(out, -1, 0, 0, 0, 1)).to.throw(RangeError, 'key must be a whole number');
    expect(() => native.randomUniform(out, 0, 0.5, 0, 0, 1)).to.throw(RangeError, 'stream must be a whole number');
    expect(() => native.randomNormal(out, 0, 0, 2 ** 53, 0, 1, false)).to.throw(RangeError, 'counter must be');
    expect(() => native.randomBernoulli(out, 0, 0, 0, NaN)).to.throw(RangeError, 'probability must lie in [0, 1]');
    expect(() => native.dropout(out, out, 0, 0, 0, 1)).to.throw(RangeError, 'rate must lie in [0, 1)');
    expect(() => native.dropout(out, new Float32Array(2), 0, 0, 0, 0.5)).to.throw(RangeError, 'x has 2 elements');
    expect([...out]).to.deep.equal([7, 7, 7]);
  });
});
