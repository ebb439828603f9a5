import { isUtf8 } from 'node:buffer';
import { SafetensorsError, type SafetensorsErrorCode } from './error';
import { isInRange } from './header-numbers';
import { escapes, HeaderText, hexAt, isFirstHalf, isSecondHalf } from './header-text';

/** Where the header starts in a file: behind its length. */
export const headerStart = 8;

const [tab, lineFeed, carriageReturn, blank, backslash] = [9, 10, 13, 32, 92];
const [zero, nine, minus, plus, dot, letterU] = [48, 57, 45, 43, 46, 0x75];
const [colon, closeBracket, closeBrace] = [58, 93, 125];
export const [quote, openBracket, openBrace, comma] = [34, 91, 123, 44];

/** How deep values may be nested: as deep as the reference implementation reads them. */
const mostNested = 127;

/**
 * Reads the JSON of a header from its bytes, one value after the other, and makes nothing of it but what is asked for: no
 * objects, no strings, no numbers that lost digits.
 */
export class Scanner {
  readonly text: HeaderText;
  /** Where the name of the tensor is that is being read, for messages. */
  tensorAt: number | undefined;

  private readonly bytes: Buffer;

  /** @param position from where on. */
  constructor(
    bytes: Uint8Array,
    public position = 0,
  ) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.text = new HeaderText(this.bytes);
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

  /** Calls `entry` for each `"key": value` of an object, with where the key is; it reads the value. */
  object(what: string, entry: (key: number) => void): void {
    this.take(openBrace, `at the start of ${what}`);
    if (this.takes(closeBrace)) return;
    do entry(this.key(what));
    while (this.takes(comma));
    this.take(closeBrace, `or ',' in ${what}`);
  }

  /** Passes over a key and its colon. @returns where the key is. */
  key(what: string): number {
    const at = this.passString(`a key of ${what}`);
    this.take(colon, 'after a key');
    return at;
  }

  /** Calls `element` for each element of an array; it reads the element. */
  array(what: string, element: () => void): void {
    this.take(openBracket, `at the start of ${what}`);
    if (this.takes(closeBracket)) return;
    do element();
    while (this.takes(comma));
    this.take(closeBracket, `or ',' in ${what}`);
  }

  /** Passes over a string, which must be right. @returns where it is. */
  passString(what: string): number {
    if (!this.takes(quote)) this.unexpected(`a string for ${what}`);
    const { bytes } = this;
    const at = this.position - 1;
    let all = 0; // the bits that any of its bytes has
    for (; this.position < bytes.length; this.position++) {
      const byte = bytes[this.position]!;
      if (byte === quote) {
        const isRight = all < 128 || isUtf8(bytes.subarray(at + 1, this.position));
        if (!isRight) this.fail('invalid-utf8', 'the header is no valid UTF-8', at + 1);
        this.position++;
        return at;
      }
      if (byte < blank) this.fail('invalid-json', `${what} has a control character in it that is not escaped`);
      all |= byte;
      if (byte === backslash) this.passEscape();
    }
    this.position = bytes.length;
    return this.fail('invalid-json', `the header ends within ${what}`);
  }

  /** From the backslash to the last byte of what it is the start of. */
  private passEscape(): void {
    const { bytes } = this;
    const letter = bytes[++this.position];
    if (letter === letterU) {
      const code = this.passDigits();
      if (isFirstHalf(code) && bytes[this.position + 1] === backslash && bytes[this.position + 2] === letterU) {
        this.position += 2;
        if (isSecondHalf(this.passDigits())) return;
      }
      if (isFirstHalf(code) || isSecondHalf(code)) this.fail('invalid-json', 'half of a surrogate pair');
    } else if (letter !== undefined && !escapes.has(letter)) {
      this.fail('invalid-json', 'an escape that JSON has not');
    }
  }

  private passDigits(): number {
    const code = hexAt(this.bytes, this.position + 1);
    if (code < 0) this.fail('invalid-json', 'an escape \\u without four hexadecimal digits');
    this.position += 4;
    return code;
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
    } else if (byte === quote) this.passString('a value');
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
    if (!isInRange(this.bytes, start, this.position)) this.fail('invalid-json', 'a number out of range', start);
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
    const tensor = this.tensorAt === undefined ? undefined : this.text.label(this.tensorAt);
    throw new SafetensorsError(code, message, { tensor, offset: headerStart + at });
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= nine;
