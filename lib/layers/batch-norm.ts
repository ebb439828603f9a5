import { initializers, ops, type Tensor, type Variable } from 'gradstep';
import { checkBoolean, checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, identityOf, isTraining } from './checks';
import { parameter, VariableHolder, type CallOptions, type Layer, type LayerOptions } from './layer';

export interface BatchNormLayerOptions extends LayerOptions {
  /** The size of x's last dimension. */
  features: number;
  /** How much of the averages stays in a step. Default: 0.99. */
  momentum?: number;
  /** Added to the variance. Default: 1e-3. */
  epsilon?: number;
  /** Whether there is an offset. Default: true. */
  center?: boolean;
  /** Whether there is a gain. Default: true. */
  scale?: boolean;
}

const names: NamesOf<BatchNormLayerOptions> = {
  name: true,
  dtype: true,
  features: true,
  momentum: true,
  epsilon: true,
  center: true,
  scale: true,
};

/**
 * Each feature with mean 0 and variance 1, of the batch in training, else by averages over the batches that were trained on;
 * times gamma, plus beta.
 */
export class BatchNorm extends VariableHolder implements Layer {
  readonly gamma: Variable | null;
  readonly beta: Variable | null;
  /** The average of the batches' means; not trained, but moved by each call in training. */
  readonly movingMean: Variable;
  /** The same of their variances. */
  readonly movingVariance: Variable;
  private readonly features: number;
  private readonly options: { momentum?: number; epsilon?: number };

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: BatchNormLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { features, momentum, epsilon, center = true, scale = true } = options;
    checkCount('features', features);
    checkBoolean('center', center);
    checkBoolean('scale', scale);
    const own = identityOf(options, 'batchNorm');
    const make = (suffix: string, start: number, trainable = true): Variable =>
      parameter(own, suffix, [features], initializers.constant(start), trainable);
    this.gamma = scale ? make('gamma', 1) : null;
    this.beta = center ? make('beta', 0) : null;
    this.movingMean = make('movingMean', 0, false);
    this.movingVariance = make('movingVariance', 1, false);
    this.features = features;
    this.options = { ...(momentum === undefined ? {} : { momentum }), ...(epsilon === undefined ? {} : { epsilon }) };
  }

  override variables(): Variable[] {
    return [this.gamma, this.beta, this.movingMean, this.movingVariance].filter((own) => own !== null);
  }

  /** @param x [..., features] @returns the same shape. */
  call(x: Tensor, options?: CallOptions): Tensor {
    const training = isTraining(options);
    checkInput(x, `[..., ${this.features}]`, null, this.features);
    const { gamma, beta, movingMean, movingVariance } = this;
    const affine = { ...(gamma === null ? {} : { gamma }), ...(beta === null ? {} : { beta }) };
    return ops.batchNorm(x, { ...affine, movingMean, movingVariance, training, ...this.options });
  }
}

/**
 * Each feature with mean 0 and variance 1, of the batch in training, else by averages over the batches that were trained on.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: `tf.layers.batch_normalization`, "Batch normalization" (Ioffe and Szegedy, 2015).
 */
export const batchNorm = (options: BatchNormLayerOptions): BatchNorm => new BatchNorm(options);
