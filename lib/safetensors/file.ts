import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { SafetensorsArray, SafetensorsArrays, SafetensorsDType } from './dtypes';
import { SafetensorsError } from './error';
import { headerLength, parseHeader, type Header, type SafetensorsInfo } from './header';
import { bytesOf, checkByteOrder } from './memory';
import { toFloat32 } from './parse';
import { pathOf, type SafetensorsPath } from './path';
import { readFully, type PositionedFile } from './positioned';
import { headerStart } from './scanner';
import {
  newArray,
  select,
  selectFloats,
  type SafetensorsFloatOptions,
  type SafetensorsReadOptions,
  type Selection,
} from './selection';

declare global {
  /** For programs compiled without a library that has it: TypeScript before 5.2, or no `ESNext.Disposable`. */
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** An open file, whose header has been read and found right. Reads may go on side by side. */
export class SafetensorsFile {
  /** The strings of `__metadata__`, by their keys. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What the file has, by name, in the order of their elements in the file: reading in this order is the fastest. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
  readonly #file: PositionedFile;
  readonly #reads = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(
    /** As it was given. */
    readonly path: string,
    file: PositionedFile,
    { metadata, tensors }: Header,
  ) {
    this.#file = file;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /**
   * Reads a tensor, or some of its rows, from the file, away from the event loop.
   * @throws SafetensorsError when there is no such tensor, it has another dtype, or the file has become shorter since it
   * was opened; TypeError and RangeError for options that do not fit it; Error when the file has been closed; what the
   * system says when it cannot read. A read that fails may have filled a part of `into`.
   */
  read(name: string): Promise<SafetensorsArray>;
  read<A extends SafetensorsArray>(name: string, options: SafetensorsReadOptions & { readonly into: A }): Promise<A>;
  read<D extends SafetensorsDType>(
    name: string,
    options: SafetensorsReadOptions & { readonly dtype: D },
  ): Promise<SafetensorsArrays[D]>;
  read(name: string, options?: SafetensorsReadOptions): Promise<SafetensorsArray>;
  read(name: string, options: SafetensorsReadOptions = {}): Promise<SafetensorsArray> {
    return this.#read(async () => {
      const selection = select(this.tensors, name, options);
      const into = options.into ?? newArray(selection);
      await readFully(this.#file, bytesOf(into), selection.byteOffset, name);
      return into;
    });
  }

  /**
   * Reads a tensor of F32, F16 or BF16, or some of its rows, as float32, which has all numbers of these.
   * @throws SafetensorsError when there is no such tensor, it has another dtype, or the file has become shorter since it
   * was opened; TypeError and RangeError for options that do not fit it; Error when the file has been closed; what the
   * system says when it cannot read. A read that fails may have filled a part of `into`.
   */
  readFloat32(name: string, options: SafetensorsFloatOptions = {}): Promise<Float32Array> {
    return this.#read(async () => {
      const selection = selectFloats(this.tensors, name, options);
      const into = options.into ?? new Float32Array(selection.length);
      await this.#readFloats(selection, into);
      return into;
    });
  }

  /** A piece after the other, so that it takes little memory beside `into`. */
  async #readFloats({ name, dtype, byteOffset, byteLength, length }: Selection, into: Float32Array): Promise<void> {
    if (dtype === 'F32') return readFully(this.#file, bytesOf(into), byteOffset, name);
    const piece = new Uint8Array(Math.min(byteLength, 2 ** 20));
    for (let done = 0; done < length;) {
      const bytes = piece.subarray(0, 2 * (length - done));
      await readFully(this.#file, bytes, byteOffset + 2 * done, name);
      const count = bytes.byteLength / 2;
      toFloat32(bytes, dtype, into.subarray(done, done + count));
      done += count;
    }
  }

  /** `read`, which `close` waits for. */
  async #read<T>(read: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new Error(`${this.path} has been closed`);
    const reading = read();
    this.#reads.add(reading);
    try {
      return await reading;
    } catch (error) {
      throw ofFile(error, this.path);
    } finally {
      this.#reads.delete(reading);
    }
  }

  /** Closes the file once the reads under way are over. Further reads are errors; closing twice is none. */
  close(): Promise<void> {
    return (this.#closing ??= this.#closeAfterReads());
  }

  async #closeAfterReads(): Promise<void> {
    await Promise.allSettled([...this.#reads]);
    await this.#file.close();
  }

  /** `close`, at the end of the block that declared the file with `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a file and reads its header. Its elements stay in the file until they are read.
 * @param path of the file, as a string or a `URL`.
 * @returns the open file: `close` it, or declare it with `await using`.
 * @throws SafetensorsError for whatever the format forbids, with its `code`, tensor and offset; TypeError for what is no
 * path; what the system says when it cannot open or read.
 */
export async function openSafetensors(path: SafetensorsPath): Promise<SafetensorsFile> {
  checkByteOrder();
  const name = pathOf(path);
  // Opening a pipe would wait for somebody to write to it.
  const file = await open(name, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    return new SafetensorsFile(name, file, await readHeader(file));
  } catch (error) {
    await file.close();
    throw ofFile(error, name);
  }
}

/** An error with the path of its file in it. */
const ofFile = (error: unknown, path: string): unknown => (error instanceof SafetensorsError ? error.of(path) : error);

async function readHeader(file: FileHandle): Promise<Header> {
  const stats = await file.stat();
  if (!stats.isFile()) throw new SafetensorsError('not-a-file', 'it is a folder, a pipe or a device');
  const start = new Uint8Array(Math.min(headerStart, stats.size));
  await readFully(file, start, 0);
  const header = new Uint8Array(headerLength(start, stats.size));
  await readFully(file, header, headerStart);
  return parseHeader(header, stats.size);
}
