import { binaryFunction, native, taskKind, unaryFunction } from '../lib/native';
import type { BinaryFunction, UnaryFunction } from '../lib/native';
import { shared, weights } from './data';

export const columns = 1024;
const float32 = 0; // among the formats of native code

export interface RowArrays {
  /** Of rows of 1,024. What gradients of softmax take for what came out is x, too. */
  readonly x: Float32Array;
  /** Without elements where nothing reads it. */
  readonly dy: Float32Array;
  readonly out: Float32Array;
}

/** A kernel that reads x, or dy and x, and writes out. */
export interface Kind {
  readonly name: string;
  readonly reads: 1 | 2;
  readonly make: (arrays: RowArrays) => () => void;
  /** What is to be in out[i]. */
  readonly expected: (arrays: RowArrays, i: number) => number;
}

const [gamma, beta] = [weights(columns, 7, 2), weights(columns, 3, 2)];
const epsilon = 1e-5;
const rate = 0.1;

/** The row that i is in. */
const rowOf = (array: Float32Array, i: number): Float32Array =>
  array.subarray(i - (i % columns), i - (i % columns) + columns);
const sum = (of: Float32Array, f: (value: number, i: number) => number): number =>
  of.reduce((total, value, i) => total + f(value, i), 0);

function normal(x: Float32Array): { mean: number; inverse: number } {
  const mean = sum(x, (v) => v) / columns;
  return { mean, inverse: 1 / Math.sqrt(sum(x, (v) => (v - mean) ** 2) / columns + epsilon) };
}

function layerNormGradient(x: Float32Array, dy: Float32Array, k: number): number {
  const { mean, inverse } = normal(x);
  const xhat = (i: number): number => (x[i]! - mean) * inverse;
  const [g, gxhat] = [sum(dy, (v, i) => v * gamma[i]!), sum(dy, (v, i) => v * gamma[i]! * xhat(i))];
  return inverse * (dy[k]! * gamma[k]! - g / columns - (xhat(k) * gxhat) / columns);
}

const exponentials = (x: Float32Array): number => sum(x, (v) => Math.exp(v));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The probability that a standard normal number is below x, for small x: by the series of the error function. */
function probabilityBelow(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 40; n++) {
    term *= (-x * x) / (2 * n);
    total += term / (2 * n + 1);
  }
  return 0.5 + total / Math.sqrt(2 * Math.PI);
}
const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

const geluLogit = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const geluLogitSlope = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);

function unary(name: UnaryFunction, f: (x: number) => number): Kind {
  return {
    name,
    reads: 1,
    make: ({ x, out }) => {
      const number = unaryFunction[name];
      return () => native.unary(number, out, x);
    },
    expected: ({ x }, i) => f(x[i]!),
  };
}

/** @param slope of what the gradient is of. */
function gradient(name: BinaryFunction, slope: (x: number) => number): Kind {
  return {
    name,
    reads: 2,
    make: ({ x, dy, out }) => {
      const number = binaryFunction[name];
      return () => native.binary(number, out, x, dy);
    },
    expected: ({ x, dy }, i) => dy[i]! * slope(x[i]!),
  };
}

const layerNorm: Kind = {
  name: 'layerNorm',
  reads: 1,
  make: ({ x, out }) => {
    const rows = x.length / columns;
    const arrays = [out, shared(rows), shared(rows), x, gamma, beta];
    const sizes = Float64Array.of(rows, columns, epsilon);
    return () => native.runTask(taskKind.normalizeRows, float32, 4 + 8, sizes, ...arrays);
  },
  expected: ({ x }, i) => {
    const { mean, inverse } = normal(rowOf(x, i));
    return (x[i]! - mean) * inverse * gamma[i % columns]! + beta[i % columns]!;
  },
};

const layerNormBack: Kind = {
  name: 'layerNorm gradient',
  reads: 2,
  make: ({ x, dy, out }) => {
    const rows = x.length / columns;
    const [mean, inverse] = [shared(rows), shared(rows)];
    const forward = [out, mean, inverse, x, gamma, beta];
    native.runTask(taskKind.normalizeRows, float32, 4 + 8, Float64Array.of(rows, columns, epsilon), ...forward);
    const arrays = [out, shared(columns), shared(columns), dy, x, mean, inverse, gamma];
    const sizes = Float64Array.of(rows, columns);
    return () => native.runTask(taskKind.normalizeRowsGradient, float32, 4 + 8 + 16, sizes, ...arrays);
  },
  expected: ({ x, dy }, i) => layerNormGradient(rowOf(x, i), rowOf(dy, i), i % columns),
};

export const kinds: readonly Kind[] = [
  layerNorm,
  layerNormBack,
  {
    name: 'softmax',
    reads: 1,
    make:
      ({ x, out }) =>
      () =>
        native.softmax(out, x, columns),
    expected: ({ x }, i) => Math.exp(x[i]!) / exponentials(rowOf(x, i)),
  },
  {
    name: 'softmax gradient',
    reads: 2,
    make:
      ({ x, dy, out }) =>
      () =>
        native.softmaxGradient(out, dy, x, columns),
    expected: ({ x, dy }, i) => {
      const own = rowOf(x, i);
      return (dy[i]! - sum(rowOf(dy, i), (v, k) => v * own[k]!)) * x[i]!;
    },
  },
  {
    name: 'logSoftmax',
    reads: 1,
    make:
      ({ x, out }) =>
      () =>
        native.logSoftmax(out, x, columns),
    expected: ({ x }, i) => x[i]! - Math.log(exponentials(rowOf(x, i))),
  },
  {
    name: 'logSoftmax gradient',
    reads: 2,
    make:
      ({ x, dy, out }) =>
      () =>
        native.logSoftmaxGradient(out, dy, x, columns),
    expected: ({ x, dy }, i) => dy[i]! - Math.exp(x[i]!) * sum(rowOf(dy, i), (v) => v),
  },
  unary('gelu', (x) => x * probabilityBelow(x)),
  gradient('geluGradient', (x) => probabilityBelow(x) + x * density(x)),
  unary('geluTanh', (x) => x * sigmoid(geluLogit(x))),
  gradient('geluTanhGradient', (x) => {
    const s = sigmoid(geluLogit(x));
    return s + x * geluLogitSlope(x) * s * (1 - s);
  }),
  unary('silu', (x) => x * sigmoid(x)),
  gradient('siluGradient', (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
  {
    name: 'dropout',
    reads: 1,
    make:
      ({ x, out }) =>
      () =>
        native.dropout(out, x, 1, 0, 0, rate),
    expected: ({ x, out }, i) => (out[i] === 0 ? 0 : x[i]! / (1 - rate)),
  },
];
