// Philox4x32-10 in plain JavaScript, as its paper has it.

const high = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n);
const low = (a: number, b: number): number => Math.imul(a, b) >>> 0;

export type Words = [number, number, number, number];

/** The block of this counter under this key, each as words, the lowest first. */
export function philox(counter: readonly number[], key: readonly number[]): Words {
  let [c0, c1, c2, c3] = counter as Words;
  let [k0, k1] = key as [number, number];
  for (let round = 0; round < 10; round++) {
    const next: Words = [
      (high(c2, 0xcd9e8d57) ^ c1 ^ k0) >>> 0,
      low(c2, 0xcd9e8d57),
      (high(c0, 0xd2511f53) ^ c3 ^ k1) >>> 0,
      low(c0, 0xd2511f53),
    ];
    [c0, c1, c2, c3] = next;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

const halves = (x: number): [number, number] => [x % 2 ** 32, Math.floor(x / 2 ** 32)];

/** The first words of a draw. */
export function wordsOf(key: number, stream: number, counter: number, count: number): number[] {
  const words: number[] = [];
  for (let block = 0; words.length < count; block++) {
    words.push(...philox([...halves(counter + block), ...halves(stream)], halves(key)));
  }
  return words.slice(0, count);
}
