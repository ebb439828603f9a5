import { isIterable, shown } from '../checks';
import { traitsOf, type SafetensorsArrays, type SafetensorsDType } from './dtypes';
import { SafetensorsError } from './error';
import { headerLength, parseHeader, type Header, type SafetensorsInfo } from './header';
import { checkByteOrder, kindOf } from './memory';
import { headerStart } from './scanner';

/** A tensor with its elements; its dtype tells their class. */
export type SafetensorsTensor = {
  [D in SafetensorsDType]: SafetensorsInfo & { readonly dtype: D; readonly data: SafetensorsArrays[D] };
}[SafetensorsDType];

/** A file of which the header has come. Its tensors are iterated over as they come, once. */
export interface SafetensorsIncoming extends AsyncIterable<SafetensorsTensor> {
  /** The strings of `__metadata__`, by their keys. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What the file will have, by name, in the order in which it comes. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
}

/** Bytes that come in pieces of any length. */
class Incoming {
  private piece = new Uint8Array(0);
  private count = 0;

  constructor(private readonly pieces: AsyncIterator<unknown, unknown> | Iterator<unknown, unknown>) {}

  /** How many bytes have been taken. */
  get position(): number {
    return this.count;
  }

  /** Fills `into` as far as bytes come. Returns how many did. */
  async fill(into: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < into.byteLength && (await this.hasMore())) {
      const part = this.piece.subarray(0, into.byteLength - filled);
      into.set(part, filled);
      filled += part.byteLength;
      this.piece = this.piece.subarray(part.byteLength);
    }
    this.count += filled;
    return filled;
  }

  /** Waits for the next byte. */
  async hasMore(): Promise<boolean> {
    while (this.piece.byteLength === 0) {
      const { done, value } = await this.pieces.next();
      if (done === true) return false;
      if (kindOf(value) !== 'Uint8Array') throw new TypeError(`source must have Uint8Arrays, got ${shown(value)}`);
      this.piece = value as Uint8Array<ArrayBuffer>;
    }
    return true;
  }

  async end(): Promise<void> {
    await this.pieces.return?.();
  }
}

/**
 * Reads a file that comes in pieces, as from a request or a pipe: its header first, then each tensor when it is asked
 * for. No more memory is taken than bytes have come, but for twice that while a tensor comes.
 * @param source Uint8Arrays of any length: a Readable, the body of a response, `streamSafetensors`. It is ended with
 * the iteration, also where that is left early.
 * @returns once the header has come and was found right.
 * @throws SafetensorsError for whatever the format forbids, in the iteration where data are missing or do not end; TypeError for
 * another source; what the source throws.
 */
export async function readSafetensors(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<SafetensorsIncoming> {
  checkByteOrder();
  const incoming = new Incoming(iteratorOf(source));
  try {
    const { metadata, tensors } = await readHeader(incoming);
    const iterator = tensorsOf(incoming, tensors);
    return { metadata, tensors, [Symbol.asyncIterator]: () => iterator };
  } catch (error) {
    await incoming.end();
    throw error;
  }
}

function iteratorOf(source: unknown): AsyncIterator<unknown, unknown> | Iterator<unknown, unknown> {
  const { [Symbol.asyncIterator]: iterate } = (source ?? {}) as Partial<AsyncIterable<unknown, unknown>>;
  if (typeof iterate === 'function') return iterate.call(source as AsyncIterable<unknown, unknown>);
  if (isIterable(source) && typeof source !== 'string') return source[Symbol.iterator]();
  throw new TypeError(`source must be iterable, or asynchronously so, got ${shown(source)}`);
}

async function readHeader(incoming: Incoming): Promise<Header> {
  const start = new Uint8Array(headerStart);
  const count = await incoming.fill(start);
  const length = headerLength(start, count < headerStart ? count : Infinity);
  const header = await take(incoming, length, (came) => {
    throw new SafetensorsError('header-incomplete', `a header of ${length} bytes, of which ${came} came`);
  });
  return parseHeader(header, Infinity);
}

async function* tensorsOf(
  incoming: Incoming,
  tensors: ReadonlyMap<string, SafetensorsInfo>,
): AsyncGenerator<SafetensorsTensor, void, undefined> {
  try {
    for (const info of tensors.values()) {
      const { name, dtype, byteLength } = info;
      const bytes = await take(incoming, byteLength, (came) => {
        const message = `the file ends after ${came} of its ${byteLength} bytes`;
        throw new SafetensorsError('data-incomplete', message, { tensor: name, offset: incoming.position });
      });
      const { Array: ArrayOfDType } = traitsOf(dtype);
      const data = new ArrayOfDType(bytes.buffer, 0, byteLength / ArrayOfDType.BYTES_PER_ELEMENT);
      yield { ...info, data } as SafetensorsTensor;
    }
    if (await incoming.hasMore()) {
      const message = 'the file goes on behind its last tensor';
      throw new SafetensorsError('trailing-bytes', message, { offset: incoming.position });
    }
  } finally {
    await incoming.end();
  }
}

// So many bytes are believed to come before any has.
const firstBytes = 2 ** 20;

/** So many bytes, in an array that grows as they come: a header may say what it likes. */
async function take(incoming: Incoming, length: number, refuse: (came: number) => never): Promise<Uint8Array> {
  let array = new Uint8Array(Math.min(length, firstBytes));
  let filled = await incoming.fill(array);
  while (filled === array.length && filled < length) {
    const larger = new Uint8Array(Math.min(length, 2 * filled));
    larger.set(array);
    array = larger;
    filled += await incoming.fill(array.subarray(filled));
  }
  return filled < length ? refuse(filled) : array;
}
