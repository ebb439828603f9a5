import { initializers, ops, type Initializer, type Tensor, type Variable } from 'gradstep';
import { checkBoolean, checkCount } from '../checks';
import { checkPadding, checkPair } from '../ops/convolution/window';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, checkOptionalFunction, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface Conv2dLayerOptions extends LayerOptions {
  /** The channels of x. */
  inputs: number;
  /** Those of y. */
  filters: number;
  /** The filter's height and width, or both. */
  kernelSize: number | readonly [number, number];
  /** As of `ops.conv2d`. Default: 1. */
  strides?: ops.Pair;
  /** As of `ops.conv2d`. Default: `'VALID'`. */
  padding?: ops.Padding;
  /** As of `ops.conv2d`. Default: 1. */
  dilations?: ops.Pair;
  /** As of `ops.conv2d`. Default: 1. */
  groups?: number;
  /** Default: none. `ops.relu` is computed in the same pass. */
  activation?: (x: Tensor) => Tensor;
  /** Default: true. */
  useBias?: boolean;
  /** Default: `initializers.glorotUniform()`. */
  kernelInitializer?: Initializer;
  /** Default: `initializers.zeros()`. */
  biasInitializer?: Initializer;
}

const names: NamesOf<Conv2dLayerOptions> = {
  name: true,
  dtype: true,
  inputs: true,
  filters: true,
  kernelSize: true,
  strides: true,
  padding: true,
  dilations: true,
  groups: true,
  activation: true,
  useBias: true,
  kernelInitializer: true,
  biasInitializer: true,
};

/** A convolution of images with filters: y = activation(conv2d(x, kernel) + bias). */
export class Conv2d extends VariableHolder implements Layer {
  /** [height, width, inputs / groups, filters] */
  readonly kernel: Variable;
  /** [filters], or null without one. */
  readonly bias: Variable | null;
  private readonly activation: ((x: Tensor) => Tensor) | undefined;
  private readonly inputs: number;
  private readonly window: ops.Conv2dOptions;

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: Conv2dLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { inputs, filters, kernelSize, strides = 1, padding = 'VALID', dilations = 1, groups = 1 } = options;
    const { activation, useBias = true } = options;
    checkCount('inputs', inputs);
    checkCount('filters', filters);
    checkCount('groups', groups);
    const [height, width] = checkPair('kernelSize', kernelSize);
    checkPair('strides', strides);
    checkPair('dilations', dilations);
    checkPadding(padding);
    if (inputs % groups !== 0 || filters % groups !== 0) {
      throw new RangeError(`groups must divide inputs and filters, got ${groups} of ${inputs} and ${filters}`);
    }
    checkOptionalFunction('activation', activation);
    checkBoolean('useBias', useBias);
    const own = identityOf(options, 'conv2d');
    const { kernelInitializer = initializers.glorotUniform(), biasInitializer = initializers.zeros() } = options;
    this.kernel = parameter(own, 'kernel', [height, width, inputs / groups, filters], kernelInitializer);
    this.bias = useBias ? parameter(own, 'bias', [filters], biasInitializer) : null;
    this.activation = activation;
    this.inputs = inputs;
    this.window = { strides, padding, dilations, groups };
  }

  override variables(): Variable[] {
    return this.bias === null ? [this.kernel] : [this.kernel, this.bias];
  }

  /** @param x [images, height, width, inputs] @returns [images, outputs down, outputs across, filters] */
  call(x: Tensor): Tensor {
    checkInput(x, `[images, height, width, ${this.inputs}]`, 4, this.inputs);
    const { kernel, bias, activation, window } = this;
    const relu = activation === ops.relu;
    const y = ops.conv2d(x, kernel, { ...window, ...(bias === null ? {} : { bias }), relu });
    return activation === undefined || relu ? y : activation(y);
  }
}

/**
 * A convolution of images with filters: y = activation(conv2d(x, kernel) + bias).
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: `tf.layers.conv2d`.
 * @example
 * import { conv2d } from 'gradstep/layers';
 *
 * const conv = conv2d({ inputs: 1, filters: 32, kernelSize: 5, padding: 'SAME', activation: ops.relu, name: 'conv1' });
 */
export const conv2d = (options: Conv2dLayerOptions): Conv2d => new Conv2d(options);
