import { shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { traitsOf } from './dtypes';
import { quoted } from './error';
import { mostHeaderBytes } from './header';
import { LazyMap } from './lazy-map';
import { isThere } from './memory';
import { checkText, namedTensors, type NamedTensor } from './named-tensors';
import { headerStart } from './scanner';

/** What goes into a file beside its tensors. */
export interface SafetensorsWriteOptions {
  /** Strings by their keys, for `__metadata__`. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
}

/** Names of the options, for those who have others besides. */
export const writeOptions: NamesOf<SafetensorsWriteOptions> = { metadata: true };

/** Data start on a cache line, so that a file that is mapped or read as a whole has all of it aligned. */
const lineBytes = 64;

const utf8 = new TextEncoder();

/** A file that is to be written. */
export interface Layout {
  /** The length of the header, and the header, padded. */
  readonly head: Uint8Array;
  /** In the order in which their elements follow. */
  readonly tensors: readonly NamedTensor[];
  readonly byteLength: number;
}

/**
 * Lays tensors out as the reference implementation does: those that need the widest alignment first, then by name, in
 * the order of its UTF-8.
 * @throws TypeError and RangeError for what cannot be written.
 */
export function layOut(tensors: unknown, { metadata }: SafetensorsWriteOptions): Layout {
  const sorted = inOrder(namedTensors(tensors), ({ name }) => name).sort(
    (a, b) => traitsOf(b.dtype).order - traitsOf(a.dtype).order,
  );
  const strings = metadataOf(metadata);
  const entries = strings.length === 0 ? [] : [`"__metadata__":{${strings.join()}}`];
  let end = 0;
  for (const { name, dtype, shape, byteLength } of sorted) {
    const offsets = `${end},${(end += byteLength)}`;
    entries.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join()}],"data_offsets":[${offsets}]}`);
  }
  if (!Number.isSafeInteger(end)) throw new RangeError(`tensors have too many bytes for a file: ${end}`);
  const head = headOf(`{${entries.join()}}`);
  return { head, tensors: sorted, byteLength: head.byteLength + end };
}

function headOf(json: string): Uint8Array {
  const header = utf8.encode(json);
  const total = Math.ceil((headerStart + header.byteLength) / lineBytes) * lineBytes;
  if (total - headerStart > mostHeaderBytes) {
    throw new RangeError(`the header would be of ${total - headerStart} bytes: at most ${mostHeaderBytes} are allowed`);
  }
  const head = new Uint8Array(total).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(total - headerStart), true);
  head.set(header, headerStart);
  return head;
}

/** `"key":"value"` for each, by key. */
function metadataOf(metadata: unknown): string[] {
  if (metadata === undefined) return [];
  if (typeof metadata !== 'object' || metadata === null) {
    throw new TypeError(`metadata must be an object or a Map of strings, got ${shown(metadata)}`);
  }
  const isMap = metadata instanceof Map || metadata instanceof LazyMap;
  const pairs = isMap ? [...(metadata as ReadonlyMap<unknown, unknown>)] : Object.entries(metadata);
  for (const [key, value] of pairs) {
    if (typeof key !== 'string') throw new TypeError(`metadata: a key must be a string, got ${shown(key)}`);
    if (typeof value !== 'string')
      throw new TypeError(`metadata: ${quoted(key)} must be a string, got ${shown(value)}`);
    checkText(key, 'metadata: the key');
    checkText(value, 'metadata: the value');
  }
  return inOrder(pairs as [string, string][], ([key]) => key).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
}

/** In the order of code points, which is that of UTF-8. Strings of JavaScript compare otherwise beyond 2^16. */
function inOrder<T>(list: readonly T[], nameOf: (of: T) => string): T[] {
  return [...list].sort((a, b) => compareText(nameOf(a), nameOf(b)));
}

function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === length) return a.length - b.length;
  const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
  // Code units of a pair stand for more than any other unit does, but are less than some.
  const isPair = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000;
  return isPair(left) === isPair(right) ? left - right : isPair(left) ? 1 : -1;
}

/** The bytes of a tensor that is at hand, which must still be where they were. */
export function bytesNow({ name, bytes, byteLength }: NamedTensor): Uint8Array {
  if (typeof bytes === 'function')
    throw new TypeError(`tensor ${quoted(name)}: a function as data cannot be awaited here`);
  if (!isThere(bytes, byteLength)) throw new Error(`tensor ${quoted(name)}: its array has been transferred or shrunk`);
  return bytes;
}

/** @throws TypeError for options that there are not. */
export function checkWriteOptions(options: unknown): void {
  checkOptions('options', options, writeOptions);
}
