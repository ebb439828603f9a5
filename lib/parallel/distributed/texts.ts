import type { Communicator } from '../communicator';

// What ranks tell each other in words, where something does not fit: bytes of any length, in arrays of 32 bits.

function packed(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

const textOf = (words: Int32Array, bytes: number): string => {
  return Buffer.from(words.buffer, words.byteOffset, bytes).toString('utf8');
};

/** The texts of all ranks, by rank. @throws what the communicator throws. */
export function gatherTexts(communicator: Communicator, own: string): string[] {
  const bytes = Buffer.from(own, 'utf8');
  const lengths = new Int32Array(communicator.size);
  communicator.allGather(Int32Array.of(bytes.length), lengths);
  const wordsOf = (length: number): number => Math.ceil(length / 4);
  const all = new Int32Array(lengths.reduce((sum, length) => sum + wordsOf(length), 0));
  communicator.allGather(packed(bytes), all);
  let at = 0;
  return Array.from(lengths, (length) => {
    const words = all.subarray(at, (at += wordsOf(length)));
    return textOf(words, length);
  });
}

/** The text of one rank, on all; what others give is not looked at. @throws what the communicator throws. */
export function broadcastText(communicator: Communicator, own: string, root: number): string {
  const bytes = Buffer.from(own, 'utf8');
  const length = Int32Array.of(bytes.length);
  communicator.broadcast(length, { root });
  const words = communicator.rank === root ? packed(bytes) : new Int32Array(Math.ceil(length[0]! / 4));
  communicator.broadcast(words, { root });
  return textOf(words, length[0]!);
}

/** The error of a rank that could not go on because others have not: of the first of them. */
export function failureOf(what: string, texts: readonly string[]): Error {
  const failed = texts.flatMap((text, rank) => (text === '' ? [] : [rank]));
  const others = failed.length > 1 ? ` (and ${failed.length - 1} more, rank ${failed.slice(1, 6).join(', ')})` : '';
  return new Error(`rank ${failed[0]}${others} ${what}: ${texts[failed[0]!]!}`);
}
