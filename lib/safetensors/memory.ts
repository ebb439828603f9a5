import { isAnyArrayBuffer, isSharedArrayBuffer } from 'node:util/types';
import type { SafetensorsArray } from './dtypes';

// What an array is and where it lies, asked of the engine's own getters: an array may have a `length` of its own making.

const getterOf = <T>(prototype: object, name: string | symbol): ((of: unknown) => T) => {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on what it is asked of
  const get = Object.getOwnPropertyDescriptor(prototype, name)!.get!;
  return Function.prototype.call.bind(get) as (of: unknown) => T;
};
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const bufferOf = getterOf<ArrayBufferLike>(typedArray, 'buffer');
const byteOffsetOf = getterOf<number>(typedArray, 'byteOffset');
const bytesOfPlain = getterOf<number>(ArrayBuffer.prototype, 'byteLength');
const bytesOfShared = getterOf<number>(SharedArrayBuffer.prototype, 'byteLength');

/** What a typed array is to the engine: `Float32Array`, say; undefined for what is none. */
export const kindOf = getterOf<string | undefined>(typedArray, Symbol.toStringTag);
export const byteLengthOf = getterOf<number>(typedArray, 'byteLength');
export const lengthOf = getterOf<number>(typedArray, 'length');

const bytesIn = (buffer: ArrayBufferLike): number =>
  isSharedArrayBuffer(buffer) ? bytesOfShared(buffer) : bytesOfPlain(buffer);

/** The bytes of a typed array or a buffer, where they lie. */
export function bytesOf(of: SafetensorsArray | ArrayBufferLike): Uint8Array {
  if (isAnyArrayBuffer(of)) return new Uint8Array(of, 0, bytesIn(of));
  return new Uint8Array(bufferOf(of), byteOffsetOf(of), byteLengthOf(of));
}

/** Whether bytes are still where they were: their buffer may have been transferred or shrunk in the meantime. */
export function isThere(bytes: Uint8Array, length: number): boolean {
  return byteLengthOf(bytes) === length && bytesIn(bufferOf(bytes)) >= byteOffsetOf(bytes) + length;
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** @throws Error where memory has the bytes of numbers in another order than files. */
export function checkByteOrder(): void {
  if (!isLittleEndian) throw new Error('gradstep/safetensors needs a little-endian processor');
}
