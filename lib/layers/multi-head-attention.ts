import { ops, type Initializer, type Tensor, type Variable } from 'gradstep';
import { checkBoolean, checkCount, checkRange } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { checkInput, identityOf, isTraining } from './checks';
import { dense, type Dense } from './dense';
import { VariableHolder, type CallOptions, type Layer, type LayerOptions } from './layer';

export interface MultiHeadAttentionOptions extends LayerOptions {
  /** The size of x's last dimension, and of y's. */
  features: number;
  /** A divisor of features. */
  heads: number;
  /** Whether a token sees those up to itself only. Default: false. */
  causal?: boolean;
  /** The probability that a weight is dropped in training. Default: 0. */
  dropoutRate?: number;
  /** Default: true. */
  useBias?: boolean;
  /** Of all four projections. Default: `initializers.glorotUniform()`. */
  kernelInitializer?: Initializer;
}

const names: NamesOf<MultiHeadAttentionOptions> = {
  name: true,
  dtype: true,
  features: true,
  heads: true,
  causal: true,
  dropoutRate: true,
  useBias: true,
  kernelInitializer: true,
};

/** Tokens attend to each other: y = [softmax(q kᵀ / √depth) v of each head] out, with q, k, v projections of x. */
export class MultiHeadAttention extends VariableHolder implements Layer {
  /** Query, key and value in one product: [features, 3 features]. */
  readonly projections: Dense;
  /** [features, features] */
  readonly output: Dense;
  private readonly heads: number;
  private readonly causal: boolean;
  private readonly dropoutRate: number;

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: MultiHeadAttentionOptions) {
    super();
    checkGiven('options', options, names);
    const { features, heads, causal = false, dropoutRate = 0, useBias = true, kernelInitializer } = options;
    checkCount('features', features);
    checkCount('heads', heads);
    if (features % heads !== 0) throw new RangeError(`heads must divide features, got ${heads} of ${features}`);
    checkBoolean('causal', causal);
    checkRange('dropoutRate', dropoutRate, 'a number in [0, 1)', (rate) => rate >= 0 && rate < 1);
    const { name, dtype } = identityOf(options, 'attention');
    const shared = { dtype, useBias, inputs: features, ...(kernelInitializer && { kernelInitializer }) };
    this.projections = dense({ ...shared, units: 3 * features, name: `${name}/projections` });
    this.output = dense({ ...shared, units: features, name: `${name}/output` });
    this.heads = heads;
    this.causal = causal;
    this.dropoutRate = dropoutRate;
  }

  override variables(): Variable[] {
    return [...this.projections.variables(), ...this.output.variables()];
  }

  /** @param x [batch, tokens, features] @returns the same shape. */
  call(x: Tensor, options?: CallOptions): Tensor {
    const training = isTraining(options);
    const features = this.output.kernel.shape[0]!;
    checkInput(x, `[batch, tokens, ${features}]`, 3, features);
    const [batch, tokens] = x.shape as [number, number, number];
    const [q, k, v] = ops
      .split(this.projections.call(x), 3, { axis: -1 })
      .map((part) => ops.reshape(part, [batch, tokens, this.heads, features / this.heads])) as [Tensor, Tensor, Tensor];
    const { causal } = this;
    const dropoutRate = training ? this.dropoutRate : 0;
    const seen = ops.scaledDotProductAttention(q, k, v, { causal, dropoutRate, headAxis: -2 });
    return this.output.call(ops.reshape(seen, [batch, tokens, features]));
  }
}

/**
 * Tokens attend to each other: y = [softmax(q kᵀ / √depth) v of each head] out, with q, k, v projections of x.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: "Attention is all you need" (Vaswani et al., 2017), `torch.nn.MultiheadAttention`.
 */
export const multiHeadAttention = (options: MultiHeadAttentionOptions): MultiHeadAttention =>
  new MultiHeadAttention(options);
