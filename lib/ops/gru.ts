import { toTensor, toTensors, type TensorLike } from '../autodiff/tape';
import { checkBoolean } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import type { Tensor } from '../tensor/tensor';
import { asSequence, checkLengths, onlyTime, recurrent, recurrentSizes, shaped } from './recurrent';

export interface GruOptions {
  /** What x is multiplied by, [inputs, 3 · units]: reset gate, update gate and candidate one beside the other. */
  kernel: TensorLike;
  /** What the state is multiplied by, [units, 3 · units]. */
  recurrentKernel: TensorLike;
  /** [3 · units]. Default: 0. */
  bias?: TensorLike;
  /** With `resetAfter` what is added to the state's products, [3 · units]. Default: 0. */
  recurrentBias?: TensorLike;
  /** [batch, units]. Default: zeros. */
  initialState?: TensorLike;
  /** Whether the reset gate multiplies the state's product, as in cuDNN, PyTorch and Keras 2; else the state. Default: false. */
  resetAfter?: boolean;
  /** Whether x and the outputs are [time, batch, ...]. Default: false. */
  timeMajor?: boolean;
  /** How many times each example has; then its state stays and its outputs are 0. Default: all. */
  sequenceLength?: Int32Array | readonly number[];
}

const names: NamesOf<GruOptions> = {
  kernel: true,
  recurrentKernel: true,
  bias: true,
  recurrentBias: true,
  initialState: true,
  resetAfter: true,
  timeMajor: true,
  sequenceLength: true,
};

/** What a layer of GRU cells gives. */
export interface GruResult {
  /** The state of each time, [batch, time, units]. */
  readonly outputs: Tensor;
  /** The last, [batch, units]. */
  readonly state: Tensor;
}

/**
 * A layer of GRU cells over all times, in one native call each way. At each time, with kernels and biases in the order
 * r, u, c (PyTorch's r, z, n; Keras has z, r, h):
 *
 *     r = σ(x Wr + h Rr + br), u = σ(x Wu + h Ru + bu)
 *     c = tanh(x Wc + (r h) Rc + bc), with resetAfter tanh(x Wc + bc + r (h Rc + recurrentBias))
 *     h = u h + (1 - u) c
 *
 * Gradients flow back through time to x, both kernels, biases and the initial state, from outputs and last state.
 *
 * @param x [batch, time, inputs]
 * @throws TypeError for arguments of a wrong kind or dtype, or a `recurrentBias` without `resetAfter`, RangeError for shapes
 * that do not fit or lengths out of range.
 * Source: Cho et al.: "Learning phrase representations using RNN encoder-decoder", 2014; `tf.nn.rnn_cell.GRUCell` under
 * `tf.nn.dynamic_rnn`.
 */
export function gru(x: TensorLike, options: GruOptions): GruResult {
  checkGiven('options', options, names);
  const { timeMajor = false, resetAfter = false } = options;
  checkBoolean('timeMajor', timeMajor);
  checkBoolean('resetAfter', resetAfter);
  if (!resetAfter && options.recurrentBias !== undefined) {
    throw new TypeError('recurrentBias belongs to { resetAfter: true }');
  }
  const [input, kernel] = toTensors('x', x, 'kernel', options.kernel);
  const sizes = recurrentSizes(input, kernel, 3, timeMajor);
  const { batch, units } = sizes;
  const of = (name: string, value: TensorLike | undefined, shape: number[]): Tensor | undefined =>
    value === undefined ? undefined : shaped(name, value, input, shape, 'to fit kernel');
  const { outputs, states } = recurrent({
    cell: 'gru',
    sizes,
    isTimeMajor: timeMajor,
    isOther: resetAfter,
    forgetBias: 0,
    x: input,
    kernel,
    recurrentKernel: shaped('recurrentKernel', options.recurrentKernel, input, [units, 3 * units], 'to fit kernel'),
    bias: of('bias', options.bias, [3 * units]),
    recurrentBias: of('recurrentBias', options.recurrentBias, [3 * units]),
    initial: [of('initialState', options.initialState, [batch, units])],
    lengths: checkLengths(options.sequenceLength, sizes),
  });
  return { outputs, state: states[0]! };
}

/** What a GRU cell is made of. */
export type GruCellOptions = Omit<GruOptions, 'initialState' | 'timeMajor' | 'sequenceLength'>;

const cellNames: NamesOf<GruCellOptions> = {
  kernel: true,
  recurrentKernel: true,
  bias: true,
  recurrentBias: true,
  resetAfter: true,
};

/**
 * One time of `gru`: the state that follows this one.
 *
 * @param x [batch, inputs]
 * @param state [batch, units]
 * @throws as `gru`.
 * Source: `tf.nn.rnn_cell.GRUCell`.
 */
export function gruCell(x: TensorLike, state: TensorLike, options: GruCellOptions): Tensor {
  checkGiven('options', options, cellNames);
  return onlyTime(gru(asSequence(toTensor('x', x)), { ...options, initialState: state }).outputs);
}
