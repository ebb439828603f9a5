import { allocate } from '../autodiff/scope';
import { record, toTensors, type TensorLike } from '../autodiff/tape';
import { shown } from '../checks';
import { sameShape, showShape, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { kernels, refuseInTrace, trace } from '../tensor/trace';
import { bits, present } from './normalized';
import { filled, reshaped } from './primitives';

// A layer of recurrent cells over all times, forward and back in one native call each.

export interface RecurrentSizes {
  readonly time: number;
  readonly batch: number;
  readonly inputs: number;
  readonly units: number;
}

export interface RecurrentParts {
  readonly cell: 'lstm' | 'gru';
  readonly sizes: RecurrentSizes;
  readonly isTimeMajor: boolean;
  /** An LSTM: gates in the order i, f, j, o; a GRU: the reset comes after. */
  readonly isOther: boolean;
  readonly forgetBias: number;
  readonly x: Tensor;
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly bias: Tensor | undefined;
  readonly recurrentBias: Tensor | undefined;
  /** Each [batch, units]: hidden state, and the cells of an LSTM. */
  readonly initial: readonly (Tensor | undefined)[];
  readonly lengths: Int32Array | undefined;
}

export interface RecurrentResult {
  readonly outputs: Tensor;
  /** The last hidden state, and the cells of an LSTM. */
  readonly states: readonly Tensor[];
}

export const gatesOf = { lstm: 4, gru: 3 } as const;
const cellBit = { lstm: 0, gru: 1 } as const;

/** An input of x's dtype and this shape. */
export function shaped(name: string, value: TensorLike, x: Tensor, shape: Shape, fits: string): Tensor {
  const tensor = toTensors('x', x, name, value)[1];
  if (sameShape(tensor.shape, shape)) return tensor;
  throw new RangeError(`${name} has shape ${showShape(tensor.shape)}, expected ${showShape(shape)} ${fits}`);
}

/** @throws unless x is [batch, time, inputs], or by times, and kernel [inputs, gates units]. */
export function recurrentSizes(x: Tensor, kernel: Tensor, gates: number, isTimeMajor: boolean): RecurrentSizes {
  const form = isTimeMajor ? '[time, batch, inputs]' : '[batch, time, inputs]';
  if (x.shape.length !== 3) throw new RangeError(`x has shape ${showShape(x.shape)}, expected ${form}`);
  const [first, second, inputs] = x.shape as [number, number, number];
  const [time, batch] = isTimeMajor ? [first, second] : [second, first];
  const wide = kernel.shape[1] ?? 0;
  if (kernel.shape.length !== 2 || kernel.shape[0] !== inputs || wide % gates !== 0 || wide === 0) {
    throw new RangeError(
      `kernel has shape ${showShape(kernel.shape)}, expected [${inputs}, ${gates} · units] to fit x${meantBy(kernel.shape, inputs, gates)}`,
    );
  }
  return { time, batch, inputs, units: wide / gates };
}

/** What another library's kernel becomes one by. */
function meantBy([rows, wide]: Shape, inputs: number, gates: number): string {
  if (rows === undefined || wide === undefined) return '';
  if (wide === inputs && rows % gates === 0) return ": PyTorch's is the other way round, ops.transpose turns it";
  if (wide % gates !== 0 || rows !== inputs + wide / gates) return '';
  return `: TensorFlow 1 has both kernels in one, the recurrent one below the other; ops.split(kernel, [${inputs}, ${wide / gates}]) takes them apart`;
}

export function recurrent(parts: RecurrentParts): RecurrentResult {
  const { cell, x, kernel, recurrentKernel, bias, recurrentBias, initial, lengths } = parts;
  const { time, batch, inputs, units } = parts.sizes;
  const { dtype } = x;
  const [gates, stateCount] = [gatesOf[cell], cell === 'lstm' ? 2 : 1];
  const own = (size: number): Tensor => allocate(dtype, [size], size);
  const outShape = [...x.shape.slice(0, 2), units];
  const y = allocate(dtype, outShape, time * batch * units);
  const state = own(stateCount * batch * units);
  const saved = own(time * batch * (inputs + gates * units) + 2 * (time + 1) * batch * units);
  const sizes = [time, batch, inputs, units];
  const option = cellBit[cell] + 2 * Number(parts.isOther) + 4 * Number(parts.isTimeMajor);
  const items = lengths === undefined ? [] : [...lengths];
  kernels.task(
    'recurrent',
    dtype,
    [
      y.operand,
      state.operand,
      saved.operand,
      x.operand,
      kernel.operand,
      recurrentKernel.operand,
      bias?.operand,
      recurrentBias?.operand,
      initial[0]?.operand,
      initial[1]?.operand,
    ],
    {
      writes: 3,
      option: option + bits(8, bias, recurrentBias, initial[0], initial[1]),
      sizes,
      numbers: [parts.forgetBias],
      items,
    },
  );

  // What the last states' gradients are, once the way back has come by them: it does before it comes to y.
  const lastGradients: (Tensor | null)[] = Array.from({ length: stateCount }, () => null);
  const takeLast = (): Tensor | undefined => {
    if (lastGradients.every((gradient) => gradient === null)) return undefined;
    const last = own(stateCount * batch * units);
    lastGradients.forEach((gradient, i) => {
      const part = partOf(last, i, batch * units);
      if (gradient === null) kernels.fill(part, 0);
      else kernels.copy(part, gradient.operand);
      lastGradients[i] = null;
    });
    return last;
  };

  const all = present(x, kernel, recurrentKernel, bias, recurrentBias, initial[0], initial[1]);
  record(all, y, (dy) => {
    const like = (of: Tensor | undefined): Tensor | undefined =>
      of === undefined ? undefined : allocate(of.dtype, of.shape, of.size);
    const last = takeLast();
    const [dx, dkernel, drecurrent] = [like(x)!, like(kernel)!, like(recurrentKernel)!];
    const [dbias, drecurrentBias, dfirst] = [like(bias), like(recurrentBias), own(stateCount * batch * units)];
    kernels.task(
      'recurrentGradient',
      dtype,
      [
        dx.operand,
        dkernel.operand,
        drecurrent.operand,
        dbias?.operand,
        drecurrentBias?.operand,
        dfirst.operand,
        dy.operand,
        last?.operand,
        saved.operand,
        kernel.operand,
        recurrentKernel.operand,
      ],
      {
        writes: 6,
        option: option + bits(8, dbias, drecurrentBias, last),
        sizes,
        numbers: [parts.forgetBias],
        items,
      },
    );
    const dinitial = initial.map((of, i) => {
      if (of === undefined) return undefined;
      const part = allocate(dtype, of.shape, of.size);
      kernels.copy(part.operand, partOf(dfirst, i, batch * units));
      return part;
    });
    return present(dx, dkernel, drecurrent, dbias, drecurrentBias, ...dinitial);
  });
  const states = lastGradients.map((_, i) => {
    const part = allocate(dtype, [batch, units], batch * units);
    kernels.copy(part.operand, partOf(state, i, batch * units));
    return record([y], part, (dpart) => {
      lastGradients[i] = dpart;
      return [filled(y, 0)];
    });
  });
  return { outputs: y, states };
}

const partOf = (of: Tensor, i: number, size: number): Tensor['raw'] => of.operand.subarray(i * size, (i + 1) * size);

/** @throws unless these are as many whole numbers as the batch has examples, each a number of times. */
export function checkLengths(lengths: unknown, { batch, time }: RecurrentSizes): Int32Array | undefined {
  if (lengths === undefined) return undefined;
  if (!(lengths instanceof Int32Array || Array.isArray(lengths))) {
    throw new TypeError(`sequenceLength must be an Int32Array or an array of numbers, got ${shown(lengths)}`);
  }
  if (trace !== null && lengths instanceof Int32Array) {
    refuseInTrace('sequenceLength of an Int32Array, which another run may find changed (an array of numbers can),');
  }
  const list = Array.from(lengths as ArrayLike<unknown>);
  if (list.length !== batch) {
    throw new RangeError(`sequenceLength has ${list.length} elements, expected ${batch}, one for each example`);
  }
  return Int32Array.from(list, (length) => {
    if (typeof length !== 'number') throw new TypeError(`sequenceLength must hold numbers, got ${shown(length)}`);
    if (!Number.isInteger(length) || length < 0 || length > time) {
      throw new RangeError(`sequenceLength must hold whole numbers from 0 to ${time}, got ${shown(length)}`);
    }
    return length;
  });
}

/** One time of x [batch, inputs] as a sequence of it. */
export function asSequence(x: Tensor): Tensor {
  if (x.shape.length !== 2) throw new RangeError(`x has shape ${showShape(x.shape)}, expected [batch, inputs]`);
  return record([x], reshaped(x, [x.shape[0]!, 1, x.shape[1]!]), (dy) => [reshaped(dy, x.shape)]);
}

/** Its only time. */
export function onlyTime(y: Tensor): Tensor {
  const shape = [y.shape[0]!, y.shape[2]!];
  return record([y], reshaped(y, shape), (dy) => [reshaped(dy, y.shape)]);
}
