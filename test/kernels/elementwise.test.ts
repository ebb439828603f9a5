import { expect } from 'chai';
import { binaryFunction, binaryFunctions, native, unaryFunction, unaryFunctions } from '../../lib/native';
import { bytesOf, dtypes, expectSameEverywhere, lengths, random, shortLengths, unaligned } from '../support/parity';

describe('element-wise kernels', () => {
  it('have the names that their C++ lists give them', () => {
    expect(native.unaryFunctions).to.have.members([...unaryFunctions]);
    expect(native.binaryFunctions).to.have.members([...binaryFunctions]);
  });

  for (const [dtype, make] of dtypes) {
    for (const [name, f] of Object.entries(unaryFunction)) {
      it(`${name} gives the same bits everywhere (${dtype})`, () => {
        for (const n of lengths) {
          const x = random(make, n, n, true);
          expectSameEverywhere(`${name} of ${n}`, () => {
            const out = unaligned(make, n);
            native.unary(f, out, x);
            return [out];
          });
        }
      });
    }

    for (const [name, f] of Object.entries(binaryFunction)) {
      it(`${name} gives the same bits everywhere, for vectors and scalars (${dtype})`, () => {
        for (const n of [...shortLengths, 40001]) {
          for (const [lengthA, lengthB] of [
            [n, n],
            [1, n],
            [n, 1],
          ] as const) {
            const a = random(make, lengthA, n, true);
            const b = random(make, lengthB, n + 1, true);
            expectSameEverywhere(`${name} of ${lengthA} and ${lengthB}`, () => {
              const out = unaligned(make, n);
              native.binary(f, out, a, b);
              return [out];
            });
          }
        }
      });
    }

    it(`scale, addScaled, addN and clipByValue give the same bits everywhere (${dtype})`, () => {
      for (const n of lengths) {
        const x = random(make, n, n, true);
        const y = random(make, n, n + 1, true);
        expectSameEverywhere(`of ${n}`, () => {
          const outs = Array.from({ length: 4 }, () => unaligned(make, n));
          native.scale(outs[0]!, x, 0.3);
          outs[1]!.set(y);
          native.addScaled(outs[1]!, x, -1.7);
          native.addN(outs[2]!, [x, y, x]);
          native.clipByValue(outs[3]!, x, -0.5, 0.25);
          return outs;
        });
      }
    });

    it(`writes nothing past the end (${dtype})`, () => {
      for (const n of shortLengths) {
        const guarded = make(n + 40).fill(7);
        const out = guarded.subarray(3, 3 + n);
        const x = random(make, n, n);
        for (const f of Object.values(unaryFunction)) native.unary(f, out, x);
        for (const f of Object.values(binaryFunction)) native.binary(f, out, x, x);
        native.scale(out, x, 2);
        native.addScaled(out, x, 2);
        native.clipByValue(out, x, 0, 1);
        const rest = make(n + 40).fill(7);
        rest.set(out, 3);
        expect(bytesOf([guarded])).to.equal(bytesOf([rest]));
      }
    });
  }

  it('clipByValue lets the lower bound win, keeps NaN and brings infinities to the bounds', () => {
    const out = new Float32Array(5);
    native.clipByValue(out, Float32Array.of(NaN, Infinity, -Infinity, 0, 9), 2, 1);
    expect([...out]).to.deep.equal([NaN, 2, 2, 2, 2]);
  });

  it('refuses arrays of different lengths or dtypes, and writes nothing', () => {
    const out = new Float32Array(3).fill(7);
    expect(() => native.scale(out, new Float32Array(2), 1)).to.throw(RangeError, 'x has 2 elements, expected 3');
    expect(() => native.scale(out, new Float64Array(3), 1)).to.throw(TypeError, 'x must be a Float32Array');
    expect(() => native.unary(9999, out, out)).to.throw(RangeError, 'no such unary function');
    expect(() => native.binary(0, out, new Float32Array(2), new Float32Array(3))).to.throw(RangeError);
    expect([...out]).to.deep.equal([7, 7, 7]);
  });
});
