import { initializers, ops, type Initializer, type Tensor, type Variable } from 'gradstep';
import { checkCount, checkNumber } from '../checks';
import { checkGateOrder } from '../ops/gates';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface LstmLayerOptions extends LayerOptions {
  /** The size of x's last dimension. */
  inputs: number;
  /** The size of the state. */
  units: number;
  /** As of `ops.lstm`: `'ifjo'` for weights of Keras or PyTorch. Default: `'ijfo'`. */
  gateOrder?: 'ijfo' | 'ifjo';
  /** Added to the forget gate before its sigmoid. Default: 1; 0 for `'ifjo'`. */
  forgetBias?: number;
  /** Default: `initializers.glorotUniform()`. */
  kernelInitializer?: Initializer;
  /** Default: `initializers.orthogonal()`. */
  recurrentInitializer?: Initializer;
}

const names: NamesOf<LstmLayerOptions> = {
  name: true,
  dtype: true,
  inputs: true,
  units: true,
  gateOrder: true,
  forgetBias: true,
  kernelInitializer: true,
  recurrentInitializer: true,
};

/** A layer of LSTM cells over all times of a sequence. */
export class Lstm extends VariableHolder implements Layer {
  /** `[inputs, 4 units]`: the gates in their order: input gates, new inputs, forget gates, output gates for `'ijfo'`. */
  readonly kernel: Variable;
  /** `[units, 4 units]` */
  readonly recurrentKernel: Variable;
  /** `[4 units]` */
  readonly bias: Variable;
  private readonly options: Pick<ops.LstmOptions, 'gateOrder' | 'forgetBias'>;

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: LstmLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { inputs, units, gateOrder = 'ijfo', forgetBias } = options;
    checkCount('inputs', inputs);
    checkCount('units', units);
    checkGateOrder(gateOrder);
    if (forgetBias !== undefined) checkNumber('forgetBias', forgetBias);
    const own = identityOf(options, 'lstm');
    const { kernelInitializer = initializers.glorotUniform() } = options;
    const { recurrentInitializer = initializers.orthogonal() } = options;
    this.kernel = parameter(own, 'kernel', [inputs, 4 * units], kernelInitializer);
    this.recurrentKernel = parameter(own, 'recurrentKernel', [units, 4 * units], recurrentInitializer);
    this.bias = parameter(own, 'bias', [4 * units], initializers.zeros());
    this.options = { gateOrder, ...(forgetBias === undefined ? {} : { forgetBias }) };
  }

  override variables(): Variable[] {
    return [this.kernel, this.recurrentKernel, this.bias];
  }

  /** @param x [batch, time, inputs] @returns the states of all times, [batch, time, units]. */
  call(x: Tensor): Tensor {
    return this.run(x).outputs;
  }

  /** The same with the last state, and on request from a first one, as `ops.lstm` has them. */
  run(x: Tensor, options: Pick<ops.LstmOptions, 'initialState' | 'sequenceLength'> = {}): ops.LstmResult {
    const inputs = this.kernel.shape[0]!;
    checkInput(x, `[batch, time, ${inputs}]`, 3, inputs);
    const { kernel, recurrentKernel, bias } = this;
    return ops.lstm(x, { kernel, recurrentKernel, bias, ...this.options, ...options });
  }
}

/**
 * A layer of LSTM cells over all times of a sequence, in one native call each way.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: `tf.nn.rnn_cell.LSTMCell`, "Long short-term memory" (Hochreiter and Schmidhuber, 1997).
 */
export const lstm = (options: LstmLayerOptions): Lstm => new Lstm(options);
