import { randomBytes } from 'node:crypto';
import type { HeaderText } from './header-text';

// An entry is the place of a name in the header, which takes 27 bits, and 5 bits of what the name is hashed to.
const tagBits = 5;
const tagMask = 2 ** tagBits - 1;

/** Finds names of a header by what they are, in 5 bytes a name, whatever the names. */
export class NameTable {
  /** Of 0 where there is none: no name is at the start of a header. */
  private readonly entries: Uint32Array;

  /** @param most how many names there will be. */
  constructor(
    private readonly text: HeaderText,
    most: number,
  ) {
    this.entries = new Uint32Array(Math.ceil(most * 1.25) + 1);
  }

  /** Adds the name at a place. @returns false when it is there already. */
  add(at: number): boolean {
    const slot = this.text.utf8(at, (bytes, start, end) => {
      if (bytes === this.text.bytes) return this.slotOf(bytes, start, end);
      return this.slotOf(Buffer.from(bytes.subarray(start, end)), 0, end - start); // others are unescaped to where it is
    });
    if (this.entries[slot.index] !== 0) return false;
    this.entries[slot.index] = ((at << tagBits) | slot.tag) >>> 0;
    return true;
  }

  /** Where a name is; -1 where it is not. */
  find(name: unknown): number {
    if (typeof name !== 'string') return -1;
    const bytes = Buffer.from(name);
    // Half of a surrogate pair becomes another character in UTF-8.
    if (bytes.toString() !== name) return -1;
    const entry = this.entries[this.slotOf(bytes, 0, bytes.length).index]!;
    return entry === 0 ? -1 : entry >>> tagBits;
  }

  /** Where a name is among the entries, or would be. */
  private slotOf(bytes: Buffer, start: number, end: number): { index: number; tag: number } {
    const { entries } = this;
    const hash = hashOf(bytes, start, end);
    const tag = hash & tagMask;
    let index = Math.floor((hash / 2 ** 32) * entries.length);
    for (; entries[index] !== 0; index = index + 1 === entries.length ? 0 : index + 1) {
      const entry = entries[index]!;
      if ((entry & tagMask) === tag && this.isAt(entry >>> tagBits, bytes, start, end)) break;
    }
    return { index, tag };
  }

  private isAt(at: number, name: Buffer, start: number, end: number): boolean {
    return this.text.utf8(at, (bytes, first, last) => name.compare(bytes, first, last, start, end) === 0);
  }
}

const keys = new Uint32Array(2);
let hasKeys = false;

/**
 * 32 bits that depend on all bytes in a way that nobody knows who does not know the keys of this process: a file cannot
 * have names made to collide.
 *
 * Source: Aumasson & Bernstein 2012, SipHash; the variant of 32 bits with 1 and 3 rounds.
 */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  if (!hasKeys) {
    const random = randomBytes(8);
    keys[0] = random.readUInt32LE(0);
    keys[1] = random.readUInt32LE(4);
    hasKeys = true;
  }
  let a = keys[0]! | 0;
  let b = keys[1]! | 0;
  let c = a ^ 0x6c796765;
  let d = b ^ 0x74656462;
  const length = end - start;
  const words = length >> 2;
  for (let i = 0, at = start; i < words + 4; i++, at += 4) {
    let word = 0;
    if (i < words) word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    else if (i === words) {
      word = length << 24;
      for (let k = 0; k < (length & 3); k++) word |= bytes[at + k]! << (8 * k);
    } else if (i === words + 1) c ^= 0xff;
    d ^= word;
    a = (a + b) | 0;
    b = (b << 5) | (b >>> 27);
    b ^= a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = (d << 8) | (d >>> 24);
    d ^= c;
    a = (a + d) | 0;
    d = (d << 7) | (d >>> 25);
    d ^= a;
    c = (c + b) | 0;
    b = (b << 13) | (b >>> 19);
    b ^= c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
  }
  return (b ^ d) >>> 0;
}
