import { initializers, ops, type Indices, type Tensor, type Variable } from 'gradstep';
import {
  dense,
  embedding,
  layerNorm,
  multiHeadAttention,
  sequential,
  VariableHolder,
  type CallOptions,
  type Dense,
  type Embedding,
  type Layer,
  type LayerNorm,
  type Sequential,
} from 'gradstep/layers';

export interface GptSize {
  /** How many characters there are. */
  readonly vocabulary: number;
  /** How many tokens it looks back at. */
  readonly context: number;
  readonly layers: number;
  readonly features: number;
  readonly heads: number;
  readonly dropoutRate?: number;
}

const kernelInitializer = initializers.randomNormal({ stddev: 0.02 });

/** Attention, then two dense layers; each sees its input normalised and adds to it. */
class Block extends VariableHolder implements Layer {
  private readonly attention: Sequential;
  private readonly mlp: Sequential;

  constructor(name: string, { features, heads, dropoutRate = 0 }: GptSize) {
    super();
    const shared = { kernelInitializer };
    this.attention = sequential([
      layerNorm({ features, name: `${name}/norm1` }),
      multiHeadAttention({ ...shared, features, heads, causal: true, dropoutRate, name: `${name}/attention` }),
    ]);
    this.mlp = sequential([
      layerNorm({ features, name: `${name}/norm2` }),
      dense({ ...shared, inputs: features, units: 4 * features, activation: ops.gelu, name: `${name}/up` }),
      dense({ ...shared, inputs: 4 * features, units: features, name: `${name}/down` }),
    ]);
  }

  override variables(): Variable[] {
    return [...this.attention.variables(), ...this.mlp.variables()];
  }

  call(x: Tensor, options?: CallOptions): Tensor {
    const seen = ops.add(x, this.attention.call(x, options));
    return ops.add(seen, this.mlp.call(seen, options));
  }
}

/** A transformer that says which character comes next (Radford et al. 2019, as small as a demonstration wants it). */
export class Gpt extends VariableHolder {
  private readonly tokens: Embedding;
  private readonly positions: Embedding;
  private readonly blocks: Sequential;
  private readonly norm: LayerNorm;
  private readonly head: Dense;

  constructor(readonly size: GptSize) {
    super();
    const { vocabulary, context, layers, features } = size;
    this.tokens = embedding({ rows: vocabulary, features, name: 'tokens' });
    this.positions = embedding({ rows: context, features, name: 'positions' });
    this.blocks = sequential(Array.from({ length: layers }, (_, i) => new Block(`block${i}`, size)));
    this.norm = layerNorm({ features, name: 'norm' });
    this.head = dense({ kernelInitializer, inputs: features, units: vocabulary, useBias: false, name: 'head' });
  }

  override variables(): Variable[] {
    return [this.tokens, this.positions, this.blocks, this.norm, this.head].flatMap((part) => part.variables());
  }

  /** @param tokens [batch, context] @returns [batch, context, vocabulary] */
  logits(tokens: Indices, options?: CallOptions): Tensor {
    const x = ops.add(this.tokens.call(tokens), this.positions.table);
    return this.head.call(this.norm.call(this.blocks.call(x, options)));
  }

  /** The mean cross entropy of the characters that come next. */
  loss(tokens: Indices, next: Indices, options?: CallOptions): Tensor {
    return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(next, this.logits(tokens, options)));
  }

  get parameterCount(): number {
    return this.parameters().reduce((sum, { size }) => sum + size, 0);
  }
}

/** Draws an index with the probability softmax(logits / temperature). */
export function sampled(logits: ArrayLike<number>, temperature: number, unit: number): number {
  const most = Math.max(...Array.from(logits));
  const weights = Array.from(logits, (logit) => Math.exp((logit - most) / temperature));
  let left = unit * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => (left -= weight) < 0);
  return index < 0 ? weights.length - 1 : index;
}
