import { traitsOf, isDType, type SafetensorsDType } from './dtypes';
import { quoted, SafetensorsError, type SafetensorsErrorCode } from './error';
import { headerStart, openBrace, openBracket, quote, Scanner } from './scanner';

/** The longest header that files may have: that of the reference implementation. */
export const mostHeaderBytes = 100_000_000;
/** The most dimensions of a tensor. */
const mostDimensions = 1000;

/** A tensor of a file, without its elements. */
export interface SafetensorsInfo {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  /** `[]` for a scalar. */
  readonly shape: readonly number[];
  /** How many elements there are. */
  readonly size: number;
  /** How many bytes of the file they take. */
  readonly byteLength: number;
  /** Where these start, from the start of the file. */
  readonly byteOffset: number;
}

/** What a header says, found to be true to the length of the file. */
export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their elements in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
}

/** What is read of a tensor before it is known to fit. */
interface Entry {
  readonly name: string;
  readonly at: number;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The length of a header, from the first 8 bytes of a file of `fileBytes`.
 * @throws SafetensorsError when it is more than files may have, or than this one has.
 */
export function headerLength(start: Uint8Array, fileBytes: number): number {
  if (fileBytes < headerStart || start.byteLength < headerStart) {
    throw new SafetensorsError(
      'header-too-small',
      `a file of ${fileBytes} bytes has no length of a header, which takes 8`,
    );
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(mostHeaderBytes)) {
    throw new SafetensorsError(
      'header-too-large',
      `a header of ${length} bytes: at most ${mostHeaderBytes} are allowed`,
    );
  }
  if (headerStart + Number(length) > fileBytes) {
    throw new SafetensorsError(
      'header-incomplete',
      `a header of ${length} bytes, of which the file has ${fileBytes - 8}`,
    );
  }
  return Number(length);
}

/**
 * Reads a header, without its length, of a file of `fileBytes`; Infinity where that is not known yet.
 * @throws SafetensorsError for whatever the format forbids.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number): Header {
  const scanner = new Scanner(bytes);
  if (bytes[0] !== openBrace) scanner.fail('invalid-start', "the header must start with '{'", 0);
  const names = new Set<string>();
  const entries: Entry[] = [];
  let metadata: Map<string, string> = new Map();
  scanner.object('the header', (name, at) => {
    if (names.has(name)) scanner.fail('duplicate-key', `the header has ${quoted(name)} twice`, at);
    names.add(name);
    if (name === '__metadata__') metadata = readMetadata(scanner);
    else entries.push(readEntry(scanner, name, at));
  });
  scanner.end();
  return { metadata, tensors: laidOut(entries, headerStart + bytes.length, fileBytes) };
}

function readMetadata(scanner: Scanner): Map<string, string> {
  const metadata = new Map<string, string>();
  if (scanner.takesWord('null')) return metadata;
  if (scanner.peek() !== openBrace) scanner.fail('invalid-metadata', '__metadata__ must be an object of strings');
  scanner.object('__metadata__', (key, at) => {
    if (metadata.has(key)) scanner.fail('duplicate-key', `__metadata__ has ${quoted(key)} twice`, at);
    if (scanner.peek() !== quote) scanner.fail('invalid-metadata', `${quoted(key)} of __metadata__ must be a string`);
    metadata.set(key, scanner.string('a value of __metadata__'));
  });
  return metadata;
}

function readEntry(scanner: Scanner, name: string, at: number): Entry {
  scanner.tensor = name;
  let dtype: SafetensorsDType | undefined;
  let shape: number[] | undefined;
  let offsets: readonly [number, number] | undefined;
  if (scanner.peek() !== openBrace) scanner.fail('invalid-tensor', 'what a name stands for must be an object');
  scanner.object('a tensor', (field, fieldAt) => {
    if (field !== 'dtype' && field !== 'shape' && field !== 'data_offsets') return scanner.skip(2);
    const before = field === 'dtype' ? dtype : field === 'shape' ? shape : offsets;
    if (before !== undefined) scanner.fail('duplicate-key', `the tensor has ${quoted(field)} twice`, fieldAt);
    if (field === 'dtype') dtype = readDType(scanner);
    else if (field === 'shape') shape = readCounts(scanner, 'shape', mostDimensions, 'overflow');
    else offsets = readOffsets(scanner);
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const missing = Object.entries({ dtype, shape, data_offsets: offsets }).flatMap(([field, value]) => {
      return value === undefined ? [field] : [];
    });
    return scanner.fail('invalid-tensor', `there is no ${missing.join(', ')}`, at);
  }
  scanner.tensor = undefined;
  return { name, at, dtype, shape, begin: offsets[0], end: offsets[1] };
}

function readDType(scanner: Scanner): SafetensorsDType {
  if (scanner.peek() !== quote) scanner.fail('invalid-tensor', 'dtype must be a string');
  const at = scanner.position;
  const name = scanner.string('dtype');
  return isDType(name) ? name : scanner.fail('unknown-dtype', `there is no dtype ${quoted(name)}`, at);
}

function readOffsets(scanner: Scanner): readonly [number, number] {
  const at = scanner.position;
  const offsets = readCounts(scanner, 'data_offsets', 2, 'invalid-offsets');
  if (offsets.length !== 2) scanner.fail('invalid-tensor', 'data_offsets must be two numbers', at);
  return [offsets[0]!, offsets[1]!];
}

/** An array of whole numbers, at most `most` of them. `tooLarge` is what a number is that JavaScript cannot hold. */
function readCounts(scanner: Scanner, what: string, most: number, tooLarge: SafetensorsErrorCode): number[] {
  const counts: number[] = [];
  if (scanner.peek() !== openBracket) scanner.fail('invalid-tensor', `${what} must be an array of whole numbers`);
  scanner.array(what, () => {
    scanner.peek();
    const at = scanner.position;
    if (counts.length === most) scanner.fail('invalid-tensor', `${what} has more than ${most} numbers`, at);
    counts.push(scanner.count(what));
    if (counts.at(-1) === Infinity) scanner.fail(tooLarge, `${what} has a number beyond 2^53 - 1`, at);
  });
  return counts;
}

/** The tensors in the order of their elements, which must lie one after the other and fill the file. */
function laidOut(entries: readonly Entry[], dataStart: number, fileBytes: number): Map<string, SafetensorsInfo> {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, SafetensorsInfo>();
  let filled = 0;
  for (const { name, at, dtype, shape, begin, end } of sorted) {
    const fail = (code: SafetensorsErrorCode, message: string): never => {
      throw new SafetensorsError(code, message, { tensor: name, offset: headerStart + at });
    };
    const offsets = `data_offsets [${begin}, ${end}]`;
    if (begin < filled) fail('invalid-offsets', `${offsets} overlap the tensor before, which ends at ${filled}`);
    if (begin > filled) fail('invalid-offsets', `${offsets} leave a hole: the tensor before ends at ${filled}`);
    if (end < begin) fail('invalid-offsets', `${offsets} end before they begin`);
    const size = sizeOf(shape) ?? fail('overflow', `a shape of [${shape.join()}] has too many elements`);
    const byteLength = bytesFor(size, dtype) ?? fail('misaligned', `[${shape.join()}] of ${dtype} fill no whole bytes`);
    if (byteLength !== end - begin) {
      fail(
        'size-mismatch',
        `[${shape.join()}] of ${dtype} take ${byteLength} bytes, but ${offsets} are ${end - begin}`,
      );
    }
    if (dataStart + end > fileBytes) {
      fail('data-incomplete', `the file ends at byte ${fileBytes}, before the tensor does at ${dataStart + end}`);
    }
    filled = end;
    tensors.set(
      name,
      Object.freeze({ name, dtype, shape: Object.freeze(shape), size, byteLength, byteOffset: dataStart + begin }),
    );
  }
  const end = dataStart + filled;
  if (fileBytes !== Infinity && fileBytes > end) {
    const message = `the last tensor ends at byte ${end}, but the file has ${fileBytes - end} more`;
    throw new SafetensorsError('trailing-bytes', message, { offset: end });
  }
  return tensors;
}

const mostBits = 2n ** 64n - 1n;

/**
 * How many elements a shape has; undefined when that overflows 64 bits on the way, from left to right, as it does in the
 * reference implementation: [2^40, 2^40, 0] is refused, [0, 2^40, 2^40] is not.
 */
export function sizeOf(shape: readonly number[]): number | undefined {
  const size = shape.reduce((product, length) => product * length, 1);
  const largest = shape.reduce((product, length) => product * Math.max(1, length), 1);
  if (largest <= Number.MAX_SAFE_INTEGER) return size;
  let exact = 1n;
  for (const length of shape) {
    exact *= BigInt(length);
    if (exact > mostBits) return undefined;
  }
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : undefined;
}

/** The bytes that elements take; undefined when they fill no whole number of them. */
export function bytesFor(size: number, dtype: SafetensorsDType): number | undefined {
  const { bits } = traitsOf(dtype);
  if (bits % 8 === 0) return size * (bits / 8);
  const whole = Math.floor(size / 8);
  const rest = (size % 8) * bits;
  return rest % 8 === 0 ? whole * bits + rest / 8 : undefined;
}
