import fc from 'fast-check';
import { safetensorsDTypes, type SafetensorsArray, type SafetensorsDType } from 'gradstep/safetensors';

/** Bits of an element in a file, said a second time. */
export const bitsOf = (dtype: SafetensorsDType): number =>
  dtype === 'BOOL' ? 8 : dtype === 'BF16' ? 16 : Number(/^[A-Z]+(\d+)/.exec(dtype)![1]);

/** A tensor as it can be written, with its bytes as they must be in the file. */
export interface Sample {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export const sample: fc.Arbitrary<Sample> = fc
  .record({
    dtype: fc.constantFrom(...safetensorsDTypes),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
  })
  .map(({ dtype, shape }) => ({ dtype, shape: bitsOf(dtype) % 8 === 0 ? shape : [...shape, 4] }))
  .chain(({ dtype, shape }) => {
    const length = (shape.reduce((product, each) => product * each, 1) * bitsOf(dtype)) / 8;
    return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ dtype, shape, data }));
  });

/** Any text that UTF-8 can write, quotes, control characters and all. */
export const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((each) => !/\p{Surrogate}/u.test(each));

export const samples = fc.uniqueArray(fc.tuple(text, sample), { selector: ([name]) => name, maxLength: 8 });
export const metadata = fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 4 });

export const bytesIn = (array: SafetensorsArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
