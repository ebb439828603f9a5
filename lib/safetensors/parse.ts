import { isAnyArrayBuffer } from 'node:util/types';
import { shown } from '../checks';
import { traitsOf, type SafetensorsArray, type SafetensorsArrays, type SafetensorsDType } from './dtypes';
import { bf16ToFloat32, f16ToFloat32 } from './half';
import { headerLength, parseHeader, type SafetensorsInfo } from './header';
import { bytesOf, checkByteOrder, isThere, kindOf } from './memory';
import { headerStart } from './scanner';
import { newArray, select, selectFloats, type SafetensorsFloatOptions, type SafetensorsReadOptions } from './selection';

/** The bytes of a file in memory, whose header has been read and found right. */
export class SafetensorsBytes {
  /** The strings of `__metadata__`, by their keys. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What the file has, by name, in the order of their elements in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
  readonly #bytes: Uint8Array;
  readonly #length: number;

  /** @internal */
  constructor(bytes: Uint8Array) {
    const length = headerLength(bytes, bytes.byteLength);
    const header = bytes.subarray(headerStart, headerStart + length);
    // Of its own: what others can write to may change between being checked and being used.
    const { metadata, tensors } = parseHeader(Uint8Array.from(header), bytes.byteLength);
    this.metadata = metadata;
    this.tensors = tensors;
    this.#bytes = bytes;
    this.#length = bytes.byteLength;
  }

  /**
   * The elements of a tensor, or of some of its rows. Without `into` they are a view of the file's bytes where these are
   * aligned for it (all are in a file of ours that starts at the start of its buffer), else a copy.
   * @throws SafetensorsError when there is no such tensor or it has another dtype, TypeError and RangeError for options
   * that do not fit it, Error when the bytes have been transferred elsewhere.
   */
  read(name: string): SafetensorsArray;
  read<A extends SafetensorsArray>(name: string, options: SafetensorsReadOptions & { readonly into: A }): A;
  read<D extends SafetensorsDType>(
    name: string,
    options: SafetensorsReadOptions & { readonly dtype: D },
  ): SafetensorsArrays[D];
  read(name: string, options?: SafetensorsReadOptions): SafetensorsArray;
  read(name: string, options: SafetensorsReadOptions = {}): SafetensorsArray {
    const selection = select(this.tensors, name, options);
    const { dtype, byteOffset, byteLength, length } = selection;
    const bytes = this.#bytesAt(byteOffset, byteLength);
    const { Array: ArrayOfDType } = traitsOf(dtype);
    if (options.into === undefined && bytes.byteOffset % ArrayOfDType.BYTES_PER_ELEMENT === 0) {
      return new ArrayOfDType(bytes.buffer, bytes.byteOffset, length);
    }
    const into = options.into ?? newArray(selection);
    bytesOf(into).set(bytes);
    return into;
  }

  /**
   * The numbers of a tensor of F32, F16 or BF16, or of some of its rows, as float32, which has all of them. Always a copy.
   * @throws SafetensorsError when there is no such tensor or it has another dtype, TypeError and RangeError for options
   * that do not fit it, Error when the bytes have been transferred elsewhere.
   */
  readFloat32(name: string, options: SafetensorsFloatOptions = {}): Float32Array {
    const selection = selectFloats(this.tensors, name, options);
    const into = options.into ?? new Float32Array(selection.length);
    const bytes = this.#bytesAt(selection.byteOffset, selection.byteLength);
    toFloat32(bytes, selection.dtype, into);
    return into;
  }

  #bytesAt(offset: number, length: number): Uint8Array {
    if (!isThere(this.#bytes, this.#length)) throw new Error('the bytes of the file have been transferred or shrunk');
    return this.#bytes.subarray(offset, offset + length);
  }
}

/** Writes to `into` the numbers that the bytes are of, which are F32, F16 or BF16. */
export function toFloat32(bytes: Uint8Array, dtype: SafetensorsDType, into: Float32Array): void {
  if (dtype === 'F32') return bytesOf(into).set(bytes);
  const isAligned = bytes.byteOffset % 2 === 0;
  const { buffer, byteOffset } = isAligned ? bytes : bytes.slice();
  const bits = new Uint16Array(buffer, byteOffset, bytes.byteLength / 2);
  if (dtype === 'F16') f16ToFloat32(bits, into);
  else bf16ToFloat32(bits, into);
}

/**
 * Reads a file that is in memory: its header now, its elements when they are asked for. Nothing is copied that need not be.
 * @param bytes all of the file, in a typed array or a buffer, which may be shared. It stays in use by what is returned.
 * @throws SafetensorsError for whatever the format forbids, with its `code`, tensor and offset; TypeError for what is no bytes.
 * @example
 * import { parseSafetensors, serializeSafetensors } from 'gradstep/safetensors';
 *
 * const file = parseSafetensors(serializeSafetensors({ w: new Float32Array([1, 2]) }));
 * const w = file.read('w', { dtype: 'F32' });
 */
export function parseSafetensors(bytes: Uint8Array | ArrayBufferLike): SafetensorsBytes {
  checkByteOrder();
  if (kindOf(bytes) === undefined && !isAnyArrayBuffer(bytes)) {
    throw new TypeError(`bytes must be a typed array or a buffer, got ${shown(bytes)}`);
  }
  return new SafetensorsBytes(bytesOf(bytes));
}
