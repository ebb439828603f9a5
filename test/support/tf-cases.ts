import { expect } from 'chai';
import { IndexedSlices, tensor, type DType, type Nested, type Tensor } from 'gradstep';
import { Fields } from './fields';

/** One of TensorFlow's own test cases; `tf-cases.json` describes the format. */
export interface TfCase {
  readonly name: string;
  readonly op: string;
  readonly tolerance: Readonly<Record<string, Tolerance>> | null;
  readonly [field: string]: unknown;
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** A case in one dtype, as its runner gets it. */
export interface TfRun {
  readonly name: string;
  readonly op: string;
  readonly dtype: DType;
  readonly inputs: Fields;
  readonly args: Fields;
  readonly expected: Fields;
  readonly steps: number | null;
  readonly via: string | undefined;
  readonly close: (actual: Nested, expected: Encoded, what: string) => void;
}

export type TfRunner = (run: TfRun) => void;

/** A tensor, or null for None. */
export type Encoded = Nested | string | EncodedList | { shape: number[]; data: number[] } | EncodedSlices | null;
type EncodedList = (Nested | string | EncodedList)[];
export interface EncodedSlices {
  indexed_slices: { values: Nested; indices: number[]; dense_shape: number[] | null };
}

export function isSlices(value: Encoded): value is EncodedSlices {
  return typeof value === 'object' && value !== null && 'indexed_slices' in value;
}

/** Runs a case; a field that the runner has not asked for makes it fail. */
export function runCase(tfCase: TfCase, dtype: DType, runner: TfRunner): void {
  const fields = new Fields(tfCase.name, tfCase);
  for (const known of ['source', 'origin', 'notes']) fields.optional(known); // words
  const tolerance = fields.optional<TfCase['tolerance']>('tolerance')?.[dtype] ?? { rtol: 0, atol: 0 };
  const parts = [fields.fields('inputs'), fields.fields('args'), fields.fields('expected')] as const;
  runner({
    name: fields.required('name'),
    op: fields.required('op'),
    dtype,
    inputs: parts[0],
    args: parts[1],
    expected: parts[2],
    steps: fields.required('steps'),
    via: fields.optional('via'),
    close: (actual, expected, what) => expectWithin(actual, expected, tolerance, what),
  });
  for (const part of [fields, ...parts]) part.done();
}

/** A number, or the word for one that JSON cannot write. */
export function decodeNumber(value: number | string): number {
  if (typeof value === 'number') return value;
  if (!['NaN', 'Infinity', '-Infinity'].includes(value)) throw new Error(`${value} is no number`);
  return Number(value);
}

export function decodeTensor(value: Encoded, dtype: DType): Tensor {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && 'shape' in value) {
    return tensor(Float64Array.from(value.data), value.shape, dtype);
  }
  return tensor(decodeNested(value), undefined, dtype);
}

export function decodeGradient(value: Encoded, dtype: DType): Tensor | IndexedSlices | null {
  if (value === null) return null;
  if (!isSlices(value)) return decodeTensor(value, dtype);
  const { values, indices, dense_shape } = value.indexed_slices;
  return new IndexedSlices(decodeTensor(values, dtype), indices, dense_shape);
}

export function decodeNested(value: unknown): Nested {
  if (Array.isArray(value)) return value.map(decodeNested);
  return decodeNumber(value as number | string);
}

function expectWithin(actual: Nested, expected: Encoded, { rtol, atol }: Tolerance, what: string): void {
  const [a, e] = [flat(actual), flat(decodeNested(expected))];
  expect(a.length, `${what}: number of elements`).to.equal(e.length);
  e.forEach((value, i) => {
    const ok = Object.is(a[i], value) || Math.abs(a[i]! - value) <= atol + rtol * Math.abs(value);
    expect(ok, `${what}: element ${i} is ${a[i]}, expected ${value}`).to.equal(true);
  });
}

function flat(value: Nested): number[] {
  return typeof value === 'number' ? [value] : value.flatMap(flat);
}
