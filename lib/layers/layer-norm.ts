import { initializers, ops, type Tensor, type Variable } from 'gradstep';
import { checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface LayerNormLayerOptions extends LayerOptions {
  /** The size of x's last dimension. */
  features: number;
  /** Added to the variance. Default: 1e-5. */
  epsilon?: number;
}

const names: NamesOf<LayerNormLayerOptions> = { name: true, dtype: true, features: true, epsilon: true };

/** Each row with mean 0 and variance 1, times gamma, plus beta. */
export class LayerNorm extends VariableHolder implements Layer {
  /** [features] */
  readonly gamma: Variable;
  /** [features] */
  readonly beta: Variable;
  private readonly options: { epsilon?: number };

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: LayerNormLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { features, epsilon } = options;
    checkCount('features', features);
    const own = identityOf(options, 'layerNorm');
    this.gamma = parameter(own, 'gamma', [features], initializers.ones());
    this.beta = parameter(own, 'beta', [features], initializers.zeros());
    this.options = epsilon === undefined ? {} : { epsilon };
  }

  override variables(): Variable[] {
    return [this.gamma, this.beta];
  }

  /** @param x [..., features] @returns the same shape. */
  call(x: Tensor): Tensor {
    const features = this.gamma.shape[0]!;
    checkInput(x, `[..., ${features}]`, null, features);
    return ops.layerNorm(x, { gamma: this.gamma, beta: this.beta, ...this.options });
  }
}

/**
 * Each row with mean 0 and variance 1, times gamma, plus beta.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: "Layer normalization" (Ba, Kiros and Hinton, 2016), `torch.nn.LayerNorm`.
 */
export const layerNorm = (options: LayerNormLayerOptions): LayerNorm => new LayerNorm(options);
