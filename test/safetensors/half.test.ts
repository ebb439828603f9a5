import { expect } from 'chai';
import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import {
  bf16ToFloat32,
  f16ToFloat32,
  float32ToBf16,
  float32ToF16,
  openSafetensors,
  parseSafetensors,
  serializeSafetensors,
} from 'gradstep/safetensors';
import { scratch } from './files';

const all = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);

/** What bits stand for, from the definition of such formats. */
function valueOf(bits: number, exponentBits: number): number {
  const fractionBits = 15 - exponentBits;
  const fraction = bits & (2 ** fractionBits - 1);
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1);
  const sign = bits & 0x8000 ? -1 : 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
}

const formats = {
  BF16: { exponentBits: 8, to: bf16ToFloat32, from: float32ToBf16 },
  F16: { exponentBits: 5, to: f16ToFloat32, from: float32ToF16 },
};

for (const [name, { exponentBits, to, from }] of Object.entries(formats)) {
  describe(`${name} and float32`, () => {
    const values = to(all);
    /** Neighbours among the finite ones from 0 up, and what would come after the largest. */
    const grid = [...all.subarray(0, 0x8000)]
      .map((bits) => valueOf(bits, exponentBits))
      .filter((value) => value < Infinity);
    const next = 2 * grid.at(-1)! - grid.at(-2)!;

    it('stand for the same numbers, all 65,536 of them, and come back as they were', () => {
      const expected = Float32Array.from(all, (bits) => valueOf(bits, exponentBits));
      expect(values.every((value, i) => Object.is(value, expected[i]))).to.be.true;
      const back = from(values);
      const quiet = 2 ** (14 - exponentBits);
      expect(back.every((bits, i) => bits === (Number.isNaN(values[i]) ? i | quiet : i))).to.be.true;
    });

    it('round to the nearest, ties to even', () => {
      const float = fc.oneof(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.nat(grid.length - 2).map((i) => (grid[i]! + grid[i + 1]!) / 2),
        fc.nat(grid.length - 2).map((i) => Math.fround(((grid[i]! + grid[i + 1]!) / 2) * (1 + 2 ** -23))),
        fc.constant((grid.at(-1)! + next) / 2),
        fc.constant(Math.fround((grid.at(-1)! + next) / 2 - 2 ** (exponentBits === 5 ? -8 : 104))),
      );
      fc.assert(
        fc.property(float, fc.boolean(), (value, isNegative) => {
          const size = Math.abs(value);
          let low = 0;
          let high = grid.length;
          while (high - low > 1) {
            const middle = (low + high) >> 1;
            if (grid[middle]! <= size) low = middle;
            else high = middle;
          }
          const [below, above] = [grid[low]!, grid[low + 1] ?? next];
          const isUp = size - below > above - size || (size - below === above - size && low % 2 === 1);
          const expected = (low + (isUp ? 1 : 0)) | (isNegative ? 0x8000 : 0);
          expect(from(new Float32Array([isNegative ? -size : size]))[0]).to.equal(expected);
        }),
        { numRuns: 2000 },
      );
      expect(from(new Float32Array([Infinity, -Infinity]))).to.deep.equal(
        from(to(from(new Float32Array([Infinity, -Infinity])))),
      );
    });

    it('go into given arrays, of the right class and length', () => {
      const floats = new Float32Array(new SharedArrayBuffer(8));
      expect(to(new Uint16Array(2), floats)).to.equal(floats);
      const bits = new Uint16Array(2);
      expect(from(floats, bits)).to.equal(bits);
      expect(() => to(bits, new Float32Array(3))).to.throw(
        RangeError,
        'both arrays must be of one length, got 2 bits and 3',
      );
      expect(() => to([1] as never)).to.throw(TypeError, 'bits must be a Uint16Array, got an array of 1');
      expect(() => from(bits as never)).to.throw(TypeError, 'values must be a Float32Array, got an Uint16Array');
    });
  });
}

describe('readFloat32', () => {
  const path = scratch();

  it('reads F32, F16 and BF16 as float32, whole and by rows', async () => {
    const length = 600_000; // more than one piece
    const bits = Uint16Array.from({ length }, (_, i) => i);
    const data = { a: { data: bits, dtype: 'F16' }, b: { data: bits, dtype: 'BF16' }, c: f16ToFloat32(bits) };
    const bytes = serializeSafetensors(data);
    writeFileSync(path('model'), bytes);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    const same = (left: Float32Array, right: Float32Array) => left.every((value, i) => Object.is(value, right[i]));
    const file = await openSafetensors(path('model'));
    const memory = parseSafetensors(moved.subarray(1));
    const expected = { a: f16ToFloat32(bits), b: bf16ToFloat32(bits), c: data.c };
    for (const [name, floats] of Object.entries(expected)) {
      const into = new Float32Array(length);
      expect(await file.readFloat32(name, { into })).to.equal(into);
      expect(same(into, floats)).to.be.true;
      expect(same(memory.readFloat32(name), floats)).to.be.true;
      const rows = [length - 5, length - 1] as const;
      expect(same(await file.readFloat32(name, { rows }), floats.slice(...rows))).to.be.true;
      expect(same(memory.readFloat32(name, { rows }), floats.slice(...rows))).to.be.true;
    }
    await file.close();
  });
});
