import { toDense, type AggregationMethod } from '../autodiff/aggregate';
import { checkValue, gradYFor, ownMemory, walkBack } from '../autodiff/gradients';
import { allocate, withScope } from '../autodiff/scope';
import { recording } from '../autodiff/tape';
import { mul } from '../ops';
import { sharedArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import { IndexedSlices, type Gradient } from '../tensor/indexed-slices';
import { Memory } from '../tensor/memory';
import { Tensor } from '../tensor/tensor';
import { kernels, tracing } from '../tensor/trace';
import type { Variable } from '../tensor/variable';
import type { ProgramGradient } from './plan';
import type { Recorder } from './recorder';
import type { Ref } from './values';

/** What the trace of a loss and the way back comes to. */
export interface Traced {
  readonly loss: Ref;
  readonly lossLength: number;
  readonly variables: readonly Variable[];
  /** In the order of the variables; null where the loss does not depend on one. */
  readonly gradients: readonly (ProgramGradient | null)[];
  /** By what the loss is multiplied, to be written before each run; null where it is not. */
  readonly scale: FloatArray | null;
}

export interface ToTrace {
  readonly loss: () => Tensor;
  /** Default: the trainable variables that the loss reads. */
  readonly variables: readonly Variable[] | null;
  readonly gradLoss: Tensor | FloatArray | null;
  readonly aggregationMethod: AggregationMethod;
  /** Whether the loss is multiplied by a scale before the way back. */
  readonly isScaled: boolean;
  /** Whether every gradient is made a dense one: of rows the whole, zeros where there is none. */
  readonly isDense: boolean;
}

/** Notes the loss and the way back. @throws what they throw, and Error for what cannot be part of a program. */
export function traceGradients(recorder: Recorder, given: ToTrace): Traced {
  const watched = given.variables?.map(({ value }) => value) ?? null;
  try {
    return tracing(recorder, () =>
      recording(watched, (tape) =>
        withScope(
          () => {
            for (const { memory } of given.variables ?? []) recorder.read(memory);
            const loss: unknown = given.loss();
            checkValue('loss', loss);
            const scale = given.isScaled ? scaleOf(loss.dtype, recorder) : null;
            const value = scale === null ? loss : mul(loss, scale.tensor);
            const gradY = gradYFor('loss', given.gradLoss, value);
            const variables = given.variables ?? [...tape.variables];
            const found = ownMemory(walkBack(tape, value, gradY, variables, given.aggregationMethod));
            return {
              loss: recorder.ref(loss.operand),
              lossLength: loss.size,
              variables,
              gradients: found.map((gradient, i) => {
                const own = given.isDense ? denseOf(gradient, variables[i]!) : gradient;
                return own === null ? null : gradientOf(recorder, own);
              }),
              scale: scale?.array ?? null,
            };
          },
          () => {},
          { holdsAll: true },
        ),
      ),
    );
  } finally {
    recorder.end();
  }
}

function scaleOf(dtype: DType, recorder: Recorder): { tensor: Tensor; array: FloatArray } {
  const array = sharedArray(dtype, 1);
  const memory = Memory.of(array, dtype);
  recorder.read(memory);
  return { tensor: new Tensor(memory, []), array };
}

function denseOf(gradient: Gradient | null, { dtype, shape, size }: Variable): Tensor {
  if (gradient !== null) return toDense(gradient);
  const zeros = allocate(dtype, shape, size);
  kernels.fill(zeros.operand, 0);
  return zeros;
}

function gradientOf(recorder: Recorder, gradient: Gradient): ProgramGradient {
  if (gradient instanceof IndexedSlices && recorder.isComputed(gradient.indices)) {
    return gradientOf(recorder, toDense(gradient)); // which rows it has is not known before the run
  }
  if (gradient instanceof IndexedSlices) {
    const { values, indices, denseShape } = gradient;
    const count = denseShape![0]!;
    const elements = denseShape!.slice(1).reduce((product, size) => product * size, 1);
    const list = recorder.list(indices, count);
    return { ref: recorder.ref(values.operand), length: values.size, rows: { list, count, elements } };
  }
  return { ref: recorder.ref(gradient.operand), length: gradient.size, rows: null };
}
