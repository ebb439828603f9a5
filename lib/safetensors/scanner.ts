import { SafetensorsError, type SafetensorsErrorCode } from './error';

/** Where the header starts in a file: behind its length. */
export const headerStart = 8;

const [tab, lineFeed, carriageReturn, blank, backslash] = [9, 10, 13, 32, 92];
const [zero, nine, minus, plus, dot] = [48, 57, 45, 43, 46];
const [comma, colon, closeBracket, closeBrace] = [44, 58, 93, 125];
export const [quote, openBracket, openBrace] = [34, 91, 123];

const escapes: Readonly<Record<string, number>> = { '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 };
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** How deep values may be nested: as deep as the reference implementation reads them. */
const mostNested = 127;

/**
 * Reads the JSON of a header from its bytes, one value after the other, and makes nothing of it but what is asked for: no
 * objects, no numbers that lost digits, no memory beyond that of the strings.
 */
export class Scanner {
  position = 0;
  /** The tensor that is being read, for messages. */
  tensor: string | undefined;

  private readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next byte that is no whitespace; -1 at the end. */
  peek(): number {
    const { bytes } = this;
    for (; this.position < bytes.length; this.position++) {
      const byte = bytes[this.position]!;
      if (byte !== blank && byte !== lineFeed && byte !== carriageReturn && byte !== tab) return byte;
    }
    return -1;
  }

  take(byte: number, where: string): void {
    if (!this.takes(byte)) this.unexpected(`'${String.fromCharCode(byte)}' ${where}`);
  }

  takes(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.position++;
    return true;
  }

  /** Calls `entry` for each `"key": value` of an object; it reads the value. `at` is where the key is. */
  object(what: string, entry: (key: string, at: number) => void): void {
    this.take(openBrace, `at the start of ${what}`);
    if (this.takes(closeBrace)) return;
    do {
      this.peek();
      const at = this.position;
      const key = this.string(`a key of ${what}`);
      this.take(colon, 'after a key');
      entry(key, at);
    } while (this.takes(comma));
    this.take(closeBrace, `or ',' in ${what}`);
  }

  /** Calls `element` for each element of an array; it reads the element. */
  array(what: string, element: () => void): void {
    this.take(openBracket, `at the start of ${what}`);
    if (this.takes(closeBracket)) return;
    do element();
    while (this.takes(comma));
    this.take(closeBracket, `or ',' in ${what}`);
  }

  string(what: string): string {
    if (!this.takes(quote)) this.unexpected(`a string for ${what}`);
    const { bytes } = this;
    const start = this.position;
    let isEscaped = false;
    let all = 0; // the bits that any of its bytes has
    for (; this.position < bytes.length; this.position++) {
      const byte = bytes[this.position]!;
      if (byte === quote) {
        const end = this.position++;
        if (all < 128 && !isEscaped) return bytes.toString('latin1', start, end);
        const raw = bytes.subarray(start, end);
        return this.decoded(isEscaped ? this.unescaped(raw, start) : raw, start);
      }
      if (byte < blank) this.fail('invalid-json', `${what} has a control character in it that is not escaped`);
      all |= byte;
      if (byte === backslash) {
        isEscaped = true;
        this.position++; // whatever it is, it does not end the string
      }
    }
    this.position = bytes.length;
    this.fail('invalid-json', `the header ends within ${what}`);
  }

  private decoded(raw: Uint8Array, at: number): string {
    try {
      return utf8.decode(raw);
    } catch {
      return this.fail('invalid-utf8', 'the header is no valid UTF-8', at);
    }
  }

  /** What escapes stand for, as UTF-8, which is never longer than they are. */
  private unescaped(raw: Uint8Array, start: number): Uint8Array {
    const plain = new Uint8Array(raw.length);
    let length = 0;
    for (let i = 0; i < raw.length; i++) {
      if (raw[i] !== backslash) {
        plain[length++] = raw[i]!;
        continue;
      }
      const letter = String.fromCharCode(raw[++i]!);
      if (letter === 'u') {
        let code = hex(raw, i + 1);
        i += 4;
        if (code >= 0xd800 && code < 0xdc00 && raw[i + 1] === backslash && raw[i + 2] === 0x75) {
          const low = hex(raw, i + 3);
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            i += 6;
          }
        }
        if (code < 0) this.fail('invalid-json', 'an escape \\u without four hexadecimal digits', start + i);
        if (code >= 0xd800 && code < 0xe000) this.fail('invalid-json', 'half of a surrogate pair', start + i);
        length += encoder.encodeInto(String.fromCodePoint(code), plain.subarray(length)).written;
      } else {
        if (!Object.hasOwn(escapes, letter)) this.fail('invalid-json', 'an escape that JSON has not', start + i);
        plain[length++] = escapes[letter]!;
      }
    }
    return plain.subarray(0, length);
  }

  /** A whole number, not negative, written in digits alone; Infinity for what a number of JavaScript has not all digits of. */
  count(what: string): number {
    const first = this.peek();
    if (first < zero || first > nine) this.unexpected(`a whole number for ${what}`, 'invalid-tensor');
    const start = this.position;
    this.digits();
    const next = this.bytes[this.position];
    if (next === dot || next === 0x65 || next === 0x45) {
      this.fail('invalid-tensor', `${what} must be a whole number without fraction and exponent`, start);
    }
    let value = 0;
    for (let i = start; i < this.position && value < Infinity; i++) {
      value = value * 10 + (this.bytes[i]! - zero);
      if (value > Number.MAX_SAFE_INTEGER) value = Infinity;
    }
    return value;
  }

  /** Digits without a zero before others. */
  private digits(): void {
    const start = this.position;
    while (isDigit(this.bytes[this.position])) this.position++;
    if (this.position === start) this.unexpected('a digit');
    if (this.bytes[start] === zero && this.position > start + 1) {
      this.fail('invalid-json', 'a number that starts with 0', start);
    }
  }

  /** Passes over a value that nobody asked for; it must still be JSON. `depth` is how many values it lies in. */
  skip(depth: number): void {
    const byte = this.peek();
    if (byte === openBrace || byte === openBracket) {
      if (depth === mostNested) this.fail('invalid-json', `values nested deeper than ${mostNested}`);
      if (byte === openBrace) this.object('an object', () => this.skip(depth + 1));
      else this.array('an array', () => this.skip(depth + 1));
    } else if (byte === quote) this.string('a value');
    else if (byte === minus || isDigit(byte)) this.skipNumber();
    else if (!['true', 'false', 'null'].some((word) => this.takesWord(word))) this.unexpected('a value');
  }

  private skipNumber(): void {
    const start = this.position;
    if (this.bytes[this.position] === minus) this.position++;
    this.digits();
    if (this.bytes[this.position] === dot) this.skipDigits();
    const letter = this.bytes[this.position];
    if (letter === 0x65 || letter === 0x45) {
      const sign = this.bytes[this.position + 1];
      if (sign === plus || sign === minus) this.position++;
      this.skipDigits();
    }
    const text = utf8.decode(this.bytes.subarray(start, this.position));
    if (Math.abs(Number(text)) === Infinity) this.fail('invalid-json', 'a number out of range', start);
  }

  /** One or more digits, after the byte that this stands at. */
  private skipDigits(): void {
    const start = ++this.position;
    while (isDigit(this.bytes[this.position])) this.position++;
    if (this.position === start) this.unexpected('a digit');
  }

  /** Whether `true`, `false` or `null` comes next, which is then passed over. */
  takesWord(word: string): boolean {
    this.peek();
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.position + i] !== word.charCodeAt(i)) return false;
    }
    this.position += word.length;
    return true;
  }

  /** @throws SafetensorsError unless nothing but whitespace follows. */
  end(): void {
    if (this.peek() !== -1) this.unexpected('the end of the header');
  }

  private unexpected(expected: string, code: SafetensorsErrorCode = 'invalid-json'): never {
    const byte = this.peek();
    const found =
      byte === -1
        ? 'the header ends'
        : byte > blank && byte < 127
          ? `there is '${String.fromCharCode(byte)}'`
          : `there is byte ${byte}`;
    return this.fail(code, `expected ${expected}, but ${found}`);
  }

  fail(code: SafetensorsErrorCode, message: string, at = this.position): never {
    throw new SafetensorsError(code, message, { tensor: this.tensor, offset: headerStart + at });
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= nine;

/** The number that four hexadecimal digits write; -1 if they are not there. */
function hex(bytes: Uint8Array, at: number): number {
  const text = String.fromCharCode(...bytes.subarray(at, at + 4));
  return /^[\da-fA-F]{4}$/.test(text) ? parseInt(text, 16) : -1;
}
