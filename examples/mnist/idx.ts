// The IDX format of the MNIST files: a magic number (type and rank), the dimensions, then the bytes. All big-endian.
import { readFileSync } from 'node:fs';
import { Failure, reasonOf } from './failure';

/** Unsigned bytes and their dimensions: [count, rows, columns] for images, [count] for labels. */
export interface Idx {
  readonly bytes: Uint8Array;
  readonly dimensions: readonly number[];
}

const unsignedBytes = 0x0800;

/** @throws Failure unless `path` is a whole IDX file of unsigned bytes with `rank` dimensions. */
export function readIdx(path: string, what: string, rank: number): Idx {
  const file = readBytes(path);
  const headerSize = 4 + 4 * rank;
  if (file.length < headerSize) {
    throw new Failure(`${path} is truncated: its ${file.length} bytes do not even hold the header of ${headerSize}`);
  }
  const magic = file.readUInt32BE(0);
  if (magic !== unsignedBytes + rank) {
    throw new Failure(
      `${path} is not an IDX file of ${what}: it begins with ${hex(magic)}, expected ${hex(unsignedBytes + rank)}`,
    );
  }
  const dimensions = Array.from({ length: rank }, (_, d) => file.readUInt32BE(4 + 4 * d));
  const size = dimensions.reduce((product, dimension) => product * dimension, 1);
  checkLength(path, file.length, headerSize + size, dimensions);
  return { bytes: file.subarray(headerSize), dimensions };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${reasonOf(error)}`);
  }
}

function checkLength(path: string, length: number, expected: number, dimensions: readonly number[]): void {
  if (length === expected) return;
  const wrong = length < expected ? 'is truncated' : 'is too long';
  throw new Failure(
    `${path} ${wrong}: it has ${length} bytes, its header (${dimensions.join(' x ')}) asks for ${expected}`,
  );
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
