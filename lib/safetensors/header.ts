import { Columns } from './columns';
import type { SafetensorsDType } from './dtypes';
import { quoted, SafetensorsError } from './error';
import { readDType, readOffsets, readShape } from './fields';
import { checkLayout } from './header-layout';
import { MetadataMap, type MetadataPlace } from './metadata-map';
import { headerStart, openBrace, quote, Scanner } from './scanner';
import { TensorMap } from './tensor-map';

/** The longest header that files may have: that of the reference implementation. */
export const mostHeaderBytes = 100_000_000;
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
 * Reads a header, without its length, of a file of `fileBytes`; Infinity where that is not known yet. It takes less memory than
 * the header has bytes, whatever is in it, and keeps these: they must stay as they are.
 * @throws SafetensorsError for whatever the format forbids.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number): Header {
  const scanner = new Scanner(bytes);
  if (scanner.peek() !== openBrace) scanner.fail('invalid-start', "the header must start with '{'");
  const columns = new Columns(bytes);
  let metadata: MetadataPlace | null | undefined;
  scanner.object('the header', (name) => {
    if (scanner.text.short(name) !== metadataName) return readTensor(scanner, name, columns);
    if (metadata !== undefined) failTwice(scanner, 'the header', name);
    metadata = readMetadata(scanner);
  });
  scanner.end();
  const dataStart = headerStart + bytes.length;
  const order = columns.order();
  const place = { columns, order, dataStart, fileBytes };
  const tensors = new TensorMap(scanner, place, (at) => failTwice(scanner, 'the header', at));
  checkLayout(scanner, place);
  return {
    metadata: new MetadataMap(scanner, metadata ?? null, (at) => failTwice(scanner, metadataName, at)),
    tensors,
  };
}

const metadataName = '__metadata__';

function failTwice(scanner: Scanner, what: string, at: number): never {
  return scanner.fail('duplicate-key', `${what} has ${quoted(scanner.text.label(at))} twice`, at);
}

function readMetadata(scanner: Scanner): MetadataPlace | null {
  if (scanner.takesWord('null')) return null;
  if (scanner.peek() !== openBrace) scanner.fail('invalid-metadata', '__metadata__ must be an object of strings');
  const at = scanner.position;
  let count = 0;
  scanner.object(metadataName, (key) => {
    if (scanner.peek() !== quote) {
      const label = quoted(scanner.text.label(key));
      scanner.fail('invalid-metadata', `${label} of __metadata__ must be a string`);
    }
    scanner.passString('a value of __metadata__');
    count++;
  });
  return { at, count };
}

function readTensor(scanner: Scanner, name: number, columns: Columns): void {
  scanner.tensorAt = name;
  let dtype: SafetensorsDType | undefined;
  let shape: number | undefined;
  let offsets: readonly [number, number] | undefined;
  if (scanner.peek() !== openBrace) scanner.fail('invalid-tensor', 'what a name stands for must be an object');
  scanner.object('a tensor', (key) => {
    const field = scanner.text.short(key);
    if (field !== 'dtype' && field !== 'shape' && field !== 'data_offsets') return scanner.skip(2);
    const before = field === 'dtype' ? dtype : field === 'shape' ? shape : offsets;
    if (before !== undefined) failTwice(scanner, 'the tensor', key);
    scanner.peek();
    const at = scanner.position;
    if (field === 'dtype') dtype = readDType(scanner);
    else if (field === 'data_offsets') offsets = readOffsets(scanner);
    else {
      readShape(scanner);
      shape = at;
    }
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const missing = Object.entries({ dtype, shape, data_offsets: offsets }).flatMap(([field, value]) => {
      return value === undefined ? [field] : [];
    });
    return scanner.fail('invalid-tensor', `there is no ${missing.join(', ')}`, name);
  }
  scanner.tensorAt = undefined;
  columns.add(name, dtype, shape, offsets[0], offsets[1]);
}
