import { initializers, ops, type Tensor, type Variable } from 'gradstep';
import { checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface RmsNormLayerOptions extends LayerOptions {
  /** The size of x's last dimension. */
  features: number;
  /** Added to the mean square. Default: 1e-6. */
  epsilon?: number;
}

const names: NamesOf<RmsNormLayerOptions> = { name: true, dtype: true, features: true, epsilon: true };

/** Each row divided by the root of its mean square, times gamma. */
export class RmsNorm extends VariableHolder implements Layer {
  /** [features] */
  readonly gamma: Variable;
  private readonly options: { epsilon?: number };

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: RmsNormLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { features, epsilon } = options;
    checkCount('features', features);
    this.gamma = parameter(identityOf(options, 'rmsNorm'), 'gamma', [features], initializers.ones());
    this.options = epsilon === undefined ? {} : { epsilon };
  }

  override variables(): Variable[] {
    return [this.gamma];
  }

  /** @param x [..., features] @returns the same shape. */
  call(x: Tensor): Tensor {
    const features = this.gamma.shape[0]!;
    checkInput(x, `[..., ${features}]`, null, features);
    return ops.rmsNorm(x, { gamma: this.gamma, ...this.options });
  }
}

/**
 * Each row divided by the root of its mean square, times gamma.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: "Root mean square layer normalization" (Zhang and Sennrich, 2019), `torch.nn.RMSNorm`.
 */
export const rmsNorm = (options: RmsNormLayerOptions): RmsNorm => new RmsNorm(options);
