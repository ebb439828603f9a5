const [zero, nine, plus, minus, dot] = [48, 57, 43, 45, 46];
const isDigit = (byte: number): boolean => byte >= zero && byte <= nine;

/** Digits that decide whether a number is in range; those that follow change nothing. */
const most = 40;
/** Beyond all numbers, however many digits come before or behind the point. */
const largestExponent = 1e12;

/** Whether a number of JSON is in the range of float64, without a string of it: it may have any number of digits. */
export function isInRange(bytes: Uint8Array, start: number, end: number): boolean {
  let digits = '';
  let scale = 0; // the number is 0.digits · 10^scale
  let isBehindPoint = false;
  let i = start;
  for (; i < end && (bytes[i]! | 0x20) !== 0x65; i++) {
    const byte = bytes[i]!;
    if (byte === dot) isBehindPoint = true;
    else if (isDigit(byte)) {
      const isLeading = digits === '' && byte === zero;
      if (!isLeading && digits.length < most) digits += String.fromCharCode(byte);
      if (isLeading && isBehindPoint) scale--;
      if (!isLeading && !isBehindPoint) scale++;
    }
  }
  return digits === '' || Number(`0.${digits}e${scale + exponentAt(bytes, i + 1, end)}`) < Infinity;
}

function exponentAt(bytes: Uint8Array, start: number, end: number): number {
  const sign = bytes[start] === minus ? -1 : 1;
  let exponent = 0;
  for (let i = bytes[start] === minus || bytes[start] === plus ? start + 1 : start; i < end; i++) {
    exponent = Math.min(exponent * 10 + bytes[i]! - zero, largestExponent);
  }
  return sign * exponent;
}
