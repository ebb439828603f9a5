import { expect } from 'chai';
import fc from 'fast-check';
import { isInRange } from '../../lib/safetensors/header-numbers';

const digits = (least: number, most: number) => fc.stringMatching(new RegExp(`^[0-9]{${least},${most}}$`));
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      digits(1, 320).map((text) => `1${text}`),
    ),
    fc.option(
      fc.oneof(
        digits(1, 30),
        digits(300, 340).map((text) => text.replace(/./g, '0')),
      ),
    ),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.constantFrom('0', '00', ''), fc.nat(700))),
  )
  .map(([sign, whole, fraction, exponent]) => {
    return `${sign}${whole}${fraction === null ? '' : `.${fraction}1`}${exponent === null ? '' : exponent.join('')}`;
  });

describe('a number in a header', () => {
  const isRight = (text: string): void => {
    expect(isInRange(Buffer.from(`[${text},`), 1, 1 + text.length), text).to.equal(Number.isFinite(Number(text)));
  };

  it('is in range where the engine says so', () => {
    fc.assert(fc.property(number, isRight), { numRuns: 3000 });
  });

  it('is found to be at the limits', () => {
    for (const text of [
      '1.7976931348623157e308',
      '1.7976931348623159e308',
      '1e309',
      '9'.repeat(309),
      '1e308',
      '0e999999',
    ]) {
      isRight(text);
    }
    for (const zeros of ['0'.repeat(400), '0'.repeat(5000)]) {
      for (const text of [
        `1${zeros}`,
        `1${zeros}e-${zeros.length}`,
        `0.${zeros}1e${zeros.length + 308}`,
        `1e${zeros}1`,
      ]) {
        isRight(text);
      }
    }
  });
});
