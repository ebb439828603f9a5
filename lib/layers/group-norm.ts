import { initializers, ops, type Tensor, type Variable } from 'gradstep';
import { checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, identityOf } from './checks';
import { parameter, VariableHolder, type Layer, type LayerOptions } from './layer';

export interface GroupNormLayerOptions extends LayerOptions {
  /** The channels of x. */
  features: number;
  /** Into how many groups they fall: a divisor of features. */
  groups: number;
  /** Added to the variance. Default: 1e-5. */
  epsilon?: number;
}

const names: NamesOf<GroupNormLayerOptions> = { name: true, dtype: true, features: true, groups: true, epsilon: true };

/** Each group of channels of each example with mean 0 and variance 1; each channel times gamma, plus beta. */
export class GroupNorm extends VariableHolder implements Layer {
  /** [features] */
  readonly gamma: Variable;
  /** [features] */
  readonly beta: Variable;
  private readonly groups: number;
  private readonly options: { epsilon?: number };

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: GroupNormLayerOptions) {
    super();
    checkGiven('options', options, names);
    const { features, groups, epsilon } = options;
    checkCount('features', features);
    checkCount('groups', groups);
    if (features % groups !== 0) throw new RangeError(`groups must divide features, got ${groups} of ${features}`);
    const own = identityOf(options, 'groupNorm');
    this.gamma = parameter(own, 'gamma', [features], initializers.ones());
    this.beta = parameter(own, 'beta', [features], initializers.zeros());
    this.groups = groups;
    this.options = epsilon === undefined ? {} : { epsilon };
  }

  override variables(): Variable[] {
    return [this.gamma, this.beta];
  }

  /** @param x [batch, ..., features] @returns the same shape. */
  call(x: Tensor): Tensor {
    const features = this.gamma.shape[0]!;
    checkInput(x, `[batch, ..., ${features}]`, null, features);
    return ops.groupNorm(x, this.groups, { gamma: this.gamma, beta: this.beta, ...this.options });
  }
}

/**
 * Each group of channels of each example with mean 0 and variance 1; each channel times gamma, plus beta.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: "Group normalization" (Wu and He, 2018), `torch.nn.GroupNorm`.
 */
export const groupNorm = (options: GroupNormLayerOptions): GroupNorm => new GroupNorm(options);
