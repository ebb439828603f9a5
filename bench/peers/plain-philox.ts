/** The upper 32 bits of a product of two words, by halves. */
function high(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return aHigh * bHigh + Math.floor((aLow * bHigh + (middle & 0xffff)) / 2 ** 16) + Math.floor(middle / 2 ** 16);
}

/** Philox4x32-10 of the counters from `counter` on, all below 2^32, as numbers in [0, 1). */
export function philoxUniform(out: Float32Array, key: number, counter: number): void {
  for (let i = 0; i < out.length; i += 4) {
    let c0 = counter + i / 4;
    let c1 = 0;
    let c2 = 0;
    let c3 = 0;
    let k0 = key;
    let k1 = 0;
    for (let round = 0; round < 10; round++) {
      const high0 = high(c0, 0xd2511f53);
      const high2 = high(c2, 0xcd9e8d57);
      const low0 = Math.imul(c0, 0xd2511f53) >>> 0;
      const low2 = Math.imul(c2, 0xcd9e8d57) >>> 0;
      c0 = (high2 ^ c1 ^ k0) >>> 0;
      c1 = low2;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0;
      k0 = (k0 + 0x9e3779b9) >>> 0;
      k1 = (k1 + 0xbb67ae85) >>> 0;
    }
    out[i] = (c0 >>> 8) / 2 ** 24;
    out[i + 1] = (c1 >>> 8) / 2 ** 24;
    out[i + 2] = (c2 >>> 8) / 2 ** 24;
    out[i + 3] = (c3 >>> 8) / 2 ** 24;
  }
}
