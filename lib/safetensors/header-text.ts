const [quote, backslash, letterU] = [34, 92, 0x75];

/** What the letter behind a backslash stands for. */
export const escapes: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 }).map(([letter, byte]) => {
    return [letter.charCodeAt(0), byte] as const;
  }),
);

/** So much of a name goes into an error. */
const longestLabel = 1000;

/**
 * The strings of a header, where they lie in it, each by the place of its first quote. They have been found to be right.
 * What is not asked for is never made: a header of 100 MB may be one name, or millions.
 */
export class HeaderText {
  /** Of the string that was looked at last. */
  private end = 0;
  private isEscaped = false;
  private scratch = Buffer.alloc(0);

  constructor(readonly bytes: Buffer) {}

  /** As a string of JavaScript. */
  string(at: number): string {
    return this.utf8(at, (bytes, start, end) => bytes.toString('utf8', start, end));
  }

  /** The same of a string that is not too long to be one of ours; undefined for others. */
  short(at: number): string | undefined {
    this.find(at);
    return this.end - at > longestOfOurs ? undefined : this.string(at);
  }

  /** The same for messages: of a long one its start. */
  label(at: number): string {
    return this.utf8(at, (bytes, start, end) => {
      if (end - start <= longestLabel) return bytes.toString('utf8', start, end);
      return `${bytes.toString('utf8', start, start + longestLabel).replace(/\ufffd+$/, '')}...`;
    });
  }

  /** Calls `use` with where the UTF-8 of a string lies, until the next one is looked at. */
  utf8<T>(at: number, use: (bytes: Buffer, start: number, end: number) => T): T {
    this.find(at);
    if (!this.isEscaped) return use(this.bytes, at + 1, this.end);
    if (this.scratch.length < this.end - at) this.scratch = Buffer.allocUnsafe(this.end - at);
    return use(this.scratch, 0, unescape(this.bytes, at + 1, this.end, this.scratch));
  }

  private find(at: number): void {
    const { bytes } = this;
    let isEscaped = false;
    let i = at + 1;
    for (; bytes[i] !== quote; i++) {
      if (bytes[i] !== backslash) continue;
      isEscaped = true;
      i++;
    }
    this.end = i;
    this.isEscaped = isEscaped;
  }
}

/** The names that mean something here, each letter of which may be written with six. */
const longestOfOurs = 6 * '__metadata__'.length + 1;

/** The number that four hexadecimal digits write; -1 if they are not there. */
export function hexAt(bytes: Uint8Array, at: number): number {
  let number = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i] ?? 0;
    const letter = byte | 0x20;
    if (byte >= 48 && byte <= 57) number = number * 16 + byte - 48;
    else if (letter >= 97 && letter <= 102) number = number * 16 + letter - 87;
    else return -1;
  }
  return number;
}

/** The first half of a pair that stands for one character. */
export const isFirstHalf = (code: number): boolean => code >= 0xd800 && code < 0xdc00;
export const isSecondHalf = (code: number): boolean => code >= 0xdc00 && code < 0xe000;

/** Writes what escapes stand for, as UTF-8, which is never longer than they are. @returns how many bytes that are. */
function unescape(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let length = 0;
  for (let i = start; i < end; i++) {
    if (bytes[i] !== backslash) {
      into[length++] = bytes[i]!;
      continue;
    }
    const letter = bytes[++i]!;
    if (letter !== letterU) {
      into[length++] = escapes.get(letter)!;
      continue;
    }
    let code = hexAt(bytes, i + 1);
    i += 4;
    if (isFirstHalf(code)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (hexAt(bytes, i + 3) - 0xdc00);
      i += 6;
    }
    length = writeCharacter(code, into, length);
  }
  return length;
}

/** What the first byte of a character starts with, by how many follow. */
const marks = [0, 0xc0, 0xe0, 0xf0];

function writeCharacter(code: number, into: Uint8Array, at: number): number {
  const rest = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  into[at] = marks[rest]! | (code >> (6 * rest));
  for (let i = 1; i <= rest; i++) into[at + i] = 0x80 | ((code >> (6 * (rest - i))) & 0x3f);
  return at + rest + 1;
}
