import { initializers, ops, type Initializer, type Tensor, type Variable } from 'gradstep';
import { checkBoolean, checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkPadding, checkPair } from '../ops/convolution/window';
import { checkInput, checkOptionalFunction, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface Conv2dTransposeLayerOptions extends LayerOptions {
  /** The channels of x. */
  inputs: number;
  /** Those of y. */
  filters: number;
  /** The filter's height and width, or both. */
  kernelSize: number | readonly [number, number];
  /** How many times larger y is than x, as of `ops.conv2dTranspose`. Default: 1. */
  strides?: ops.Pair;
  /** As of `ops.conv2dTranspose`. Default: `'VALID'`. */
  padding?: ops.Padding;
  /** Default: none. */
  activation?: (x: Tensor) => Tensor;
  /** Default: true. */
  useBias?: boolean;
  /** Default: `initializers.glorotUniform()`. */
  kernelInitializer?: Initializer;
  /** Default: `initializers.zeros()`. */
  biasInitializer?: Initializer;
}

const names: NamesOf<Conv2dTransposeLayerOptions> = {
  name: true,
  dtype: true,
  inputs: true,
  filters: true,
  kernelSize: true,
  strides: true,
  padding: true,
  activation: true,
  useBias: true,
  kernelInitializer: true,
  biasInitializer: true,
};

/** A convolution that goes the other way, as decoders of images have it: y = activation(conv2dTranspose(x, kernel) + bias). */
export class Conv2dTranspose extends VariableHolder implements Layer {
  /** [height, width, filters, inputs] */
  readonly kernel: Variable;
  /** [filters], or null without one. */
  readonly bias: Variable | null;
  private readonly activation: ((x: Tensor) => Tensor) | undefined;
  private readonly window: ops.Conv2dTransposeOptions;

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: Conv2dTransposeLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { inputs, filters, kernelSize, strides = 1, padding = 'VALID', activation, useBias = true } = options;
    checkCount('inputs', inputs);
    checkCount('filters', filters);
    const [height, width] = checkPair('kernelSize', kernelSize);
    checkPair('strides', strides);
    checkPadding(padding);
    checkOptionalFunction('activation', activation);
    checkBoolean('useBias', useBias);
    const own = identityOf(options, 'conv2dTranspose');
    const { kernelInitializer = initializers.glorotUniform(), biasInitializer = initializers.zeros() } = options;
    this.kernel = parameter(own, 'kernel', [height, width, filters, inputs], kernelInitializer);
    this.bias = useBias ? parameter(own, 'bias', [filters], biasInitializer) : null;
    this.activation = activation;
    this.window = { strides, padding };
  }

  override variables(): Variable[] {
    return this.bias === null ? [this.kernel] : [this.kernel, this.bias];
  }

  /** @param x [images, height, width, inputs] @returns [images, outputs down, outputs across, filters] */
  call(x: Tensor): Tensor {
    const inputs = this.kernel.shape[3]!;
    checkInput(x, `[images, height, width, ${inputs}]`, 4, inputs);
    const { kernel, bias, activation, window } = this;
    const product = ops.conv2dTranspose(x, kernel, window);
    const y = bias === null ? product : ops.biasAdd(product, bias);
    return activation === undefined ? y : activation(y);
  }
}

/**
 * A convolution that goes the other way: y = activation(conv2dTranspose(x, kernel) + bias). With strides y is larger than x.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: `tf.layers.conv2d_transpose`.
 */
export const conv2dTranspose = (options: Conv2dTransposeLayerOptions): Conv2dTranspose => new Conv2dTranspose(options);
