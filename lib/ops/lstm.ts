import { toTensor, toTensors, type TensorLike } from '../autodiff/tape';
import { checkBoolean, checkNumber } from '../checks';
import { checkGiven, checkOptions, type NamesOf } from '../options';
import type { Tensor } from '../tensor/tensor';
import { checkGateOrder } from './gates';
import { asSequence, checkLengths, onlyTime, recurrent, recurrentSizes, shaped } from './recurrent';

/** The state of an LSTM, each [batch, units]: the cells and what was put out. */
export interface LstmState<T = Tensor> {
  readonly c: T;
  readonly h: T;
}

export interface LstmOptions {
  /** What x is multiplied by, [inputs, 4 · units]: the gates one beside the other. */
  kernel: TensorLike;
  /** What the state h is multiplied by, [units, 4 · units]. */
  recurrentKernel: TensorLike;
  /** [4 · units]. Default: 0. */
  bias?: TensorLike;
  /** Default: zeros. */
  initialState?: LstmState<TensorLike>;
  /**
   * The order of the gates: input i, new input j, forget f, output o. TensorFlow 1's is 'ijfo'; Keras and PyTorch have 'ifjo'
   * (PyTorch calls j g, and its kernels are transposed). Default: 'ijfo'.
   */
  gateOrder?: 'ijfo' | 'ifjo';
  /** Added to the forget gate's sum. Default: 1 for 'ijfo', 0 for 'ifjo', as there. */
  forgetBias?: number;
  /** Whether x and the outputs are [time, batch, ...]. Default: false. */
  timeMajor?: boolean;
  /** How many times each example has; then its state stays and its outputs are 0. Default: all. */
  sequenceLength?: Int32Array | readonly number[];
}

const names: NamesOf<LstmOptions> = {
  kernel: true,
  recurrentKernel: true,
  bias: true,
  initialState: true,
  gateOrder: true,
  forgetBias: true,
  timeMajor: true,
  sequenceLength: true,
};
const stateNames: NamesOf<LstmState> = { c: true, h: true };

/** What a layer of LSTM cells gives. */
export interface LstmResult {
  /** h of each time, [batch, time, units]. */
  readonly outputs: Tensor;
  /** The last. */
  readonly state: LstmState;
}

/**
 * A layer of LSTM cells over all times, in one native call each way. At each time, with the sums i, j, f and o of
 * x kernel + h recurrentKernel + bias:
 *
 *     c = σ(f + forgetBias) c + σ(i) tanh(j)
 *     h = σ(o) tanh(c)
 *
 * Gradients flow back through time to x, both kernels, the bias and the initial state, from outputs and last state.
 *
 * @param x [batch, time, inputs]
 * @throws TypeError for arguments of a wrong kind or dtype, RangeError for shapes that do not fit or lengths out of range.
 * Source: Hochreiter, Schmidhuber: "Long short-term memory", 1997; `tf.nn.rnn_cell.LSTMCell` under `tf.nn.dynamic_rnn`.
 */
export function lstm(x: TensorLike, options: LstmOptions): LstmResult {
  checkGiven('options', options, names);
  const { timeMajor = false, gateOrder = 'ijfo' } = options;
  checkBoolean('timeMajor', timeMajor);
  checkGateOrder(gateOrder);
  const isOther = gateOrder === 'ifjo';
  const { forgetBias = isOther ? 0 : 1 } = options;
  checkNumber('forgetBias', forgetBias);
  const [input, kernel] = toTensors('x', x, 'kernel', options.kernel);
  const sizes = recurrentSizes(input, kernel, 4, timeMajor);
  const { batch, units } = sizes;
  const of = (name: string, value: TensorLike | undefined, shape: number[]): Tensor | undefined =>
    value === undefined ? undefined : shaped(name, value, input, shape, 'to fit kernel');
  const recurrentKernel = shaped(
    'recurrentKernel',
    options.recurrentKernel,
    input,
    [units, 4 * units],
    'to fit kernel',
  );
  const bias = of('bias', options.bias, [4 * units]);
  checkOptions('initialState', options.initialState, stateNames);
  const { c, h } = options.initialState ?? { c: undefined, h: undefined };
  if ((c === undefined) !== (h === undefined)) throw new TypeError('initialState must have both c and h');
  const { outputs, states } = recurrent({
    cell: 'lstm',
    sizes,
    isTimeMajor: timeMajor,
    isOther,
    forgetBias,
    x: input,
    kernel,
    recurrentKernel,
    bias,
    recurrentBias: undefined,
    initial: [of('initialState.h', h, [batch, units]), of('initialState.c', c, [batch, units])],
    lengths: checkLengths(options.sequenceLength, sizes),
  });
  return { outputs, state: { c: states[1]!, h: states[0]! } };
}

/** What an LSTM cell is made of. */
export type LstmCellOptions = Omit<LstmOptions, 'initialState' | 'timeMajor' | 'sequenceLength'>;

const cellNames: NamesOf<LstmCellOptions> = {
  kernel: true,
  recurrentKernel: true,
  bias: true,
  gateOrder: true,
  forgetBias: true,
};

/**
 * One time of `lstm`: the state that follows this one.
 *
 * @param x [batch, inputs]
 * @param state c and h, each [batch, units].
 * @throws as `lstm`.
 * Source: `tf.nn.rnn_cell.LSTMCell`.
 */
export function lstmCell(x: TensorLike, state: LstmState<TensorLike>, options: LstmCellOptions): LstmState {
  checkGiven('options', options, cellNames);
  checkOptions('state', state, stateNames);
  const { outputs, state: next } = lstm(asSequence(toTensor('x', x)), { ...options, initialState: state });
  return { c: next.c, h: onlyTime(outputs) };
}
