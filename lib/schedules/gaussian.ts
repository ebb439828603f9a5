const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/** The mixing function of MurmurHash3: every bit of x bears on every bit of the result. */
function mixed(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const golden = 0x9e3779b9; // 2^32 divided by the golden ratio: keeps successive inputs apart

function hash(seed: number, at: number, salt: number): number {
  let state = mixed(salt + golden);
  for (const number of [seed, at]) {
    double[0] = number + 0; // one zero, not two
    for (const word of words) state = mixed((state ^ word) + golden);
  }
  return state;
}

/** A standard normal number that depends on `seed` and `at` only (Box–Muller over a hash of both). */
export function gaussian(seed: number, at: number): number {
  const u = (hash(seed, at, 0) + 1) / 2 ** 32; // in (0, 1]: its logarithm is finite
  const v = hash(seed, at, 1) / 2 ** 32;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}
