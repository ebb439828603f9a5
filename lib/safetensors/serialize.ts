import { bytesNow, checkWriteOptions, layOut, type Layout, type SafetensorsWriteOptions } from './layout';
import { checkByteOrder } from './memory';
import type { NamedTensor, SafetensorsSources } from './named-tensors';

/** So much at a time: a write of it takes much longer than the call does. */
const chunkBytes = 2 ** 20;

/** A file as the pieces of its bytes, as often as somebody asks for them. */
export interface SafetensorsStream extends AsyncIterable<Uint8Array> {
  /** How long the file is: `Content-Length`, say. */
  readonly byteLength: number;
}

/**
 * The bytes of a file with these tensors. The same tensors, in whatever order, make the same bytes.
 * @param tensors by name, see SafetensorsSource. None may have a function as data.
 * @param options the strings of `__metadata__`.
 * @throws TypeError and RangeError for what cannot be written, with the tensor's name.
 * @example
 * import { serializeSafetensors } from 'gradstep/safetensors';
 *
 * const bytes = serializeSafetensors({ w: { data: new Float32Array(6), shape: [2, 3] } }, { metadata: { epoch: '3' } });
 */
export function serializeSafetensors(tensors: SafetensorsSources, options: SafetensorsWriteOptions = {}): Uint8Array {
  checkWriteOptions(options);
  checkByteOrder();
  const { head, tensors: sorted, byteLength } = layOut(tensors, options);
  const parts = sorted.map(bytesNow);
  const file = new Uint8Array(byteLength);
  let end = 0;
  for (const part of [head, ...parts]) {
    file.set(part, end);
    end += part.byteLength;
  }
  return file;
}

/**
 * The bytes of a file with these tensors, piece by piece: views of your arrays, not copies. They are those of the moment
 * at which each piece is taken and used, so leave the arrays alone until then.
 * @param tensors by name, see SafetensorsSource.
 * @param options the strings of `__metadata__`.
 * @returns something for `Readable.from`, `pipeline` or `for await`.
 * @throws TypeError and RangeError for what cannot be written, with the tensor's name: at once, but for what a function
 * gives as data and an array that is gone when its turn comes.
 * @example
 * import { streamSafetensors } from 'gradstep/safetensors';
 *
 * const stream = streamSafetensors({ w: new Float32Array(4) });
 * console.log(stream.byteLength);
 */
export function streamSafetensors(
  tensors: SafetensorsSources,
  options: SafetensorsWriteOptions = {},
): SafetensorsStream {
  checkWriteOptions(options);
  checkByteOrder();
  const layout = layOut(tensors, options);
  return { byteLength: layout.byteLength, [Symbol.asyncIterator]: () => chunksOf(layout) };
}

/** The head, then each tensor in pieces. */
export async function* chunksOf({ head, tensors }: Layout): AsyncGenerator<Uint8Array, void, undefined> {
  yield head;
  for (const tensor of tensors) {
    const bytes = typeof tensor.bytes === 'function' ? await tensor.bytes() : tensor.bytes;
    if (bytes instanceof Uint8Array) yield* piecesOf({ ...tensor, bytes });
    else yield* bytes;
  }
}

function* piecesOf(tensor: NamedTensor): Generator<Uint8Array, void, undefined> {
  for (let begin = 0; begin < tensor.byteLength; begin += chunkBytes) {
    yield bytesNow(tensor).subarray(begin, begin + chunkBytes);
  }
}
