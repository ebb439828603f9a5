import { initializers, ops, type Initializer, type Tensor, type Variable } from 'gradstep';
import { checkBoolean, checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface GruLayerOptions extends LayerOptions {
  /** The size of x's last dimension. */
  inputs: number;
  /** The size of the state. */
  units: number;
  /** As of `ops.gru`; with it there is a second bias, `recurrentBias`. Default: false. */
  resetAfter?: boolean;
  /** Default: `initializers.glorotUniform()`. */
  kernelInitializer?: Initializer;
  /** Default: `initializers.orthogonal()`. */
  recurrentInitializer?: Initializer;
  /** Of the gates r and u, and of c. Default: `initializers.zeros()`. */
  biasInitializer?: Initializer;
}

const names: NamesOf<GruLayerOptions> = {
  name: true,
  dtype: true,
  inputs: true,
  units: true,
  resetAfter: true,
  kernelInitializer: true,
  recurrentInitializer: true,
  biasInitializer: true,
};

/** A layer of GRU cells over all times of a sequence. */
export class Gru extends VariableHolder implements Layer {
  /** `[inputs, 3 units]`: reset gates, update gates, candidates. */
  readonly kernel: Variable;
  /** `[units, 3 units]` */
  readonly recurrentKernel: Variable;
  /** `[3 units]` */
  readonly bias: Variable;
  /** `[3 units]`, or null unless the reset comes after. */
  readonly recurrentBias: Variable | null;

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: GruLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { inputs, units, resetAfter = false } = options;
    checkCount('inputs', inputs);
    checkCount('units', units);
    checkBoolean('resetAfter', resetAfter);
    const own = identityOf(options, 'gru');
    const { kernelInitializer = initializers.glorotUniform(), biasInitializer = initializers.zeros() } = options;
    const { recurrentInitializer = initializers.orthogonal() } = options;
    this.kernel = parameter(own, 'kernel', [inputs, 3 * units], kernelInitializer);
    this.recurrentKernel = parameter(own, 'recurrentKernel', [units, 3 * units], recurrentInitializer);
    this.bias = parameter(own, 'bias', [3 * units], biasInitializer);
    this.recurrentBias = resetAfter ? parameter(own, 'recurrentBias', [3 * units], biasInitializer) : null;
  }

  override variables(): Variable[] {
    const { kernel, recurrentKernel, bias, recurrentBias } = this;
    return [kernel, recurrentKernel, bias, ...(recurrentBias === null ? [] : [recurrentBias])];
  }

  /** @param x [batch, time, inputs] @returns the states of all times, [batch, time, units]. */
  call(x: Tensor): Tensor {
    return this.run(x).outputs;
  }

  /** The same with the last state, and on request from a first one, as `ops.gru` has them. */
  run(x: Tensor, options: Pick<ops.GruOptions, 'initialState' | 'sequenceLength'> = {}): ops.GruResult {
    const inputs = this.kernel.shape[0]!;
    checkInput(x, `[batch, time, ${inputs}]`, 3, inputs);
    const { kernel, recurrentKernel, bias, recurrentBias } = this;
    const after = recurrentBias === null ? {} : { resetAfter: true, recurrentBias };
    return ops.gru(x, { kernel, recurrentKernel, bias, ...after, ...options });
  }
}

/**
 * A layer of GRU cells over all times of a sequence, in one native call each way.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: `tf.nn.rnn_cell.GRUCell`; with `resetAfter` `torch.nn.GRU`.
 */
export const gru = (options: GruLayerOptions): Gru => new Gru(options);
