import { initializers, ops, type Initializer, type Tensor, type Variable } from 'gradstep';
import { checkBoolean, checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, checkOptionalFunction, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface DenseOptions extends LayerOptions {
  /** The size of x's last dimension. */
  inputs: number;
  /** The size of y's. */
  units: number;
  /** Default: none. `ops.relu` is computed in the same pass. */
  activation?: (x: Tensor) => Tensor;
  /** Default: true. */
  useBias?: boolean;
  /** Default: `initializers.glorotUniform()`. */
  kernelInitializer?: Initializer;
  /** Default: `initializers.zeros()`. */
  biasInitializer?: Initializer;
}

const names: NamesOf<DenseOptions> = {
  name: true,
  dtype: true,
  inputs: true,
  units: true,
  activation: true,
  useBias: true,
  kernelInitializer: true,
  biasInitializer: true,
};

/** A layer in which every output depends on every input: y = activation(x kernel + bias). */
export class Dense extends VariableHolder implements Layer {
  /** [inputs, units] */
  readonly kernel: Variable;
  /** [units], or null without one. */
  readonly bias: Variable | null;
  private readonly activation: ((x: Tensor) => Tensor) | undefined;

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: DenseOptions) {
    super();
    checkGiven('options', options, names);
    const { inputs, units, activation, useBias = true } = options;
    checkCount('inputs', inputs);
    checkCount('units', units);
    checkOptionalFunction('activation', activation);
    checkBoolean('useBias', useBias);
    const own = identityOf(options, 'dense');
    const { kernelInitializer = initializers.glorotUniform(), biasInitializer = initializers.zeros() } = options;
    this.kernel = parameter(own, 'kernel', [inputs, units], kernelInitializer);
    this.bias = useBias ? parameter(own, 'bias', [units], biasInitializer) : null;
    this.activation = activation;
  }

  override variables(): Variable[] {
    return this.bias === null ? [this.kernel] : [this.kernel, this.bias];
  }

  /** @param x [..., inputs] @returns [..., units] */
  call(x: Tensor): Tensor {
    const [inputs, units] = this.kernel.shape as [number, number];
    checkInput(x, `[..., ${inputs}]`, null, inputs);
    if (x.shape.length === 2) return this.ofRows(x);
    const rows = ops.reshape(x, [-1, inputs]);
    return ops.reshape(this.ofRows(rows), [...x.shape.slice(0, -1), units]);
  }

  private ofRows(x: Tensor): Tensor {
    const { kernel, bias, activation } = this;
    if (bias !== null && activation === ops.relu) return ops.reluLayer(x, kernel, bias);
    const y = bias === null ? ops.matMul(x, kernel) : ops.xwPlusB(x, kernel, bias);
    return activation === undefined ? y : activation(y);
  }
}

/**
 * A layer in which every output depends on every input: y = activation(x kernel + bias).
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: `tf.layers.dense`.
 * @example
 * import { dense } from 'gradstep/layers';
 *
 * const hidden = dense({ inputs: 784, units: 256, activation: ops.relu, name: 'hidden' });
 */
export const dense = (options: DenseOptions): Dense => new Dense(options);
