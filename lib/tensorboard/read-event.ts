import { bytesOf, doubleOf, doublesOf, fieldsOf, floatOf, floatsOf, int64Of, stringOf, type Field } from './decoder';
import type { Histogram } from './histogram';

/** A histogram as an event has it. */
export type ReadHistogram = Omit<Histogram, 'nonFinite'>;

/** A value of a summary, under its tag. */
export type ReadValue = { readonly tag: string } & (
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'histogram'; readonly histogram: ReadHistogram }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'image';
      readonly height: number;
      readonly width: number;
      /** As the file has it: PNG, for one. */
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: 'other';
      /** The `Summary.Value` message. */
      readonly message: Uint8Array;
    }
);

/** An event of an event file. */
export interface ReadEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** `brain.Event:2` in a file's first event, null in others. */
  readonly fileVersion: string | null;
  /** What a summary shows; nothing in events of other kinds. */
  readonly values: readonly ReadValue[];
}

/** @throws Error for bytes that are no event. */
export function readEvent(message: Uint8Array): ReadEvent {
  let wallTime = 0;
  let step = 0;
  let fileVersion: string | null = null;
  const values: ReadValue[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === 1) wallTime = doubleOf(field);
    else if (field.number === 2) step = int64Of(field);
    else if (field.number === 3) fileVersion = stringOf(field);
    else if (field.number === 5) addTo(values, valuesOfSummary(bytesOf(field)));
  }
  return { wallTime, step, fileVersion, values };
}

/** Also what is too long for the arguments of one call. */
function addTo<T>(list: T[], more: Iterable<T>): void {
  for (const each of more) list.push(each);
}

function* valuesOfSummary(summary: Uint8Array): Generator<ReadValue> {
  for (const field of fieldsOf(summary)) if (field.number === 1) yield readValue(bytesOf(field));
}

/** What is known of a value, by its kind; undefined for kinds that nothing is known of. */
type Known = ReadValue extends infer V ? (V extends { tag: string } ? Omit<V, 'tag'> : never) : never;

function readValue(message: Uint8Array): ReadValue {
  let tag = '';
  let known: Known | undefined;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) tag = stringOf(field);
    else if (field.number === 2) known = { kind: 'scalar', value: floatOf(field) };
    else if (field.number === 4) known = readImage(bytesOf(field));
    else if (field.number === 5) known = { kind: 'histogram', histogram: readHistogram(bytesOf(field)) };
    else if (field.number === 8) known = readTensor(bytesOf(field)) ?? known;
  }
  return { tag, ...(known ?? { kind: 'other', message: message.slice() }) };
}

function readHistogram(message: Uint8Array): ReadHistogram {
  const numbers = [0, 0, 0, 0, 0];
  const bucketLimit: number[] = [];
  const bucket: number[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number <= numbers.length) numbers[field.number - 1] = doubleOf(field);
    else if (field.number === 6) addTo(bucketLimit, doublesOf(field));
    else if (field.number === 7) addTo(bucket, doublesOf(field));
  }
  if (bucketLimit.length !== bucket.length) {
    throw new Error(`a histogram has ${bucketLimit.length} limits and ${bucket.length} buckets`);
  }
  const [min, max, num, sum, sumSquares] = numbers as [number, number, number, number, number];
  return { min, max, num, sum, sumSquares, bucketLimit, bucket };
}

function readImage(message: Uint8Array): Known {
  const image = { height: 0, width: 0, bytes: new Uint8Array(0) };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) image.height = int64Of(field);
    else if (field.number === 2) image.width = int64Of(field);
    else if (field.number === 4) image.bytes = bytesOf(field).slice();
  }
  return { kind: 'image', ...image };
}

const floatType = 1; // DT_FLOAT
const stringType = 7; // DT_STRING

/** A text, or the scalar of a newer TensorFlow: tensors of one element. */
function readTensor(message: Uint8Array): Known | undefined {
  let dtype = 0;
  const texts: Uint8Array[] = [];
  const numbers: number[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === 1) dtype = int64Of(field);
    else if (field.number === 4) addTo(numbers, contentOf(field));
    else if (field.number === 5) addTo(numbers, floatsOf(field));
    else if (field.number === 8) texts.push(bytesOf(field));
  }
  if (dtype === floatType && numbers.length === 1) return { kind: 'scalar', value: numbers[0]! };
  if (dtype === stringType && texts.length === 1) return { kind: 'text', text: utf8.decode(texts[0]) };
  return undefined;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true }); // strings of tensors are bytes, which need not be text

/** The bytes of a tensor as a number, where it is one of single precision. */
function contentOf(field: Field): number[] {
  const bytes = bytesOf(field);
  return bytes.length === 4 ? [new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true)] : [];
}
