import { expect } from 'chai';
import {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  globalNorm,
  gradients,
  Tensor,
  type IndexedSlices,
} from 'gradstep';
import { decodeGradient, decodeTensor, isSlices, type Encoded, type TfRun, type TfRunner } from '../tf-cases';

type Value = Tensor | IndexedSlices;

/** Compares a tensor, IndexedSlices or null with what is expected of it. */
function expectGradient({ close }: TfRun, actual: Value | null, expected: Encoded, what: string): void {
  if (expected === null || actual === null) {
    expect(actual, what).to.equal(expected);
    return;
  }
  if (!isSlices(expected)) return close((actual as Tensor).toArray(), flatOf(expected), what);
  const { values, indices, dense_shape } = expected.indexed_slices;
  const slices = actual as IndexedSlices;
  close(slices.values.toArray(), values, `values of ${what}`);
  expect([...slices.indices], `indices of ${what}`).to.deep.equal(indices);
  expect(slices.denseShape, `denseShape of ${what}`).to.deep.equal(dense_shape);
}

/** An empty tensor is written as its shape and data. */
function flatOf(expected: Encoded): Encoded {
  return typeof expected === 'object' && expected !== null && 'data' in expected ? expected.data : expected;
}

/** Runs a function of `t`, to a result or an error. */
function unary(f: (t: Value, run: TfRun) => Value): TfRunner {
  return (run) => {
    const { inputs, expected, dtype } = run;
    const t = decodeGradient(inputs.required<Encoded>('t'), dtype)!;
    if (expected.optional<string>('error') !== undefined) return void expect(() => f(t, run)).to.throw();
    const gradient = expected.optional<Encoded>('gradient_of_sum_wrt_t');
    if (gradient !== undefined) {
      const [actual] = gradients(() => f(t, run) as Tensor, [t as Tensor]);
      return expectGradient(run, actual!, gradient, 'gradient');
    }
    const output = f(t, run);
    const expectedOutput = expected.required<Encoded>('output');
    expectGradient(run, output, expectedOutput, 'output');
    if (output instanceof Tensor) {
      expect(output.shape).to.deep.equal(decodeTensor(expectedOutput, dtype).shape);
    }
  };
}

const bound = ({ args, dtype }: TfRun, name: string, t: Value): number | Tensor => {
  const value = args.required<Encoded>(name);
  if (value === 't') return t as Tensor;
  return typeof value === 'number' ? value : decodeTensor(value, dtype);
};

// A clip norm that is no number is refused here too, by its kind.
const clipNormOf = ({ args }: TfRun): number => args.required<number>('clip_norm');

const listOf = ({ inputs, dtype }: TfRun): (Value | null)[] =>
  inputs.required<Encoded[]>('t_list').map((entry) => decodeGradient(entry, dtype));

export const clippingRunners: Readonly<Record<string, TfRunner>> = {
  clip_by_value: unary((t, run) => clipByValue(t, bound(run, 'clip_value_min', t), bound(run, 'clip_value_max', t))),
  clip_by_norm: unary((t, run) => {
    const axes = run.args.optional<number | number[] | null>('axes') ?? undefined;
    return clipByNorm(t, clipNormOf(run), axes === undefined ? {} : { axes });
  }),
  clip_by_average_norm: unary((t, run) => clipByAverageNorm(t, clipNormOf(run))),
  global_norm: (run) => run.close(globalNorm(listOf(run)), run.expected.required('output'), 'norm'),
  clip_by_global_norm: (run) => {
    const [clipped, norm] = clipByGlobalNorm(listOf(run), clipNormOf(run));
    run.close(norm, run.expected.required('global_norm'), 'norm');
    const expected = run.expected.required<Encoded[]>('list_clipped');
    expect(clipped.length).to.equal(expected.length);
    expected.forEach((entry, i) => expectGradient(run, clipped[i]!, entry, `entry ${i}`));
  },
};
