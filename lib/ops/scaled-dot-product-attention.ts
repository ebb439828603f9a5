import { allocate } from '../autodiff/scope';
import { isFollowed, record, toAnyTensor, toTensors, type TensorLike } from '../autodiff/tape';
import { checkBoolean, checkRange, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { random, RandomGenerator } from '../random';
import { checkOptionalSeed } from '../random/draw';
import { sameShape, showShape, sizeOf, stridesOf, type Shape } from '../tensor/shape';
import type { TensorDType } from '../tensor/dtype';
import type { AnyTensor, BoolTensor, Tensor } from '../tensor/tensor';
import { kernels, trace } from '../tensor/trace';

export interface AttentionOptions {
  /**
   * Which keys a query sees, of type bool; or numbers that are added to the scores, of which -Infinity hides a key. Of the
   * shape of all scores, [..., heads, queries, keys], or one that broadcasts to it. It gets no gradient.
   */
  mask?: TensorLike | BoolTensor;
  /** Whether query i sees keys up to i + causalOffset only. Default: false. */
  causal?: boolean;
  /** Keys before the first query's own: keys - queries where the queries are the last tokens. Default: 0. */
  causalOffset?: number;
  /** What scores are multiplied by. Default: 1 / √depth. */
  scale?: number;
  /** The probability of a weight being dropped, in [0, 1). Default: 0. */
  dropoutRate?: number;
  /** As of every draw of a generator: a sequence of its own. */
  seed?: number;
  /** Default: `random`. */
  generator?: RandomGenerator;
  /** Which dimension has the heads: -3 for [..., heads, tokens, depth], -2 for [..., tokens, heads, depth]. Default: -3. */
  headAxis?: -3 | -2;
}

const names: NamesOf<AttentionOptions> = {
  mask: true,
  causal: true,
  causalOffset: true,
  scale: true,
  dropoutRate: true,
  seed: true,
  generator: true,
  headAxis: true,
};

/**
 * Attention: y = softmax(scale q kᵀ + mask) v for each head, without the matrix of all scores: blocks of them come and go, so
 * that memory grows with the number of tokens. A query that sees no key gets 0; a key that no query sees still must be finite.
 *
 * Gradients, with weights w and scores s: dv = wᵀ dy, dw = dy vᵀ, ds = w (dw - Σ dy y), dq = scale ds k, dk = scale dsᵀ q.
 * Weights are computed anew. With dropout, weights are dropped after the softmax, in both directions the same.
 *
 * @param q [..., heads, queries, depth], or without heads [queries, depth].
 * @param k [..., heads, keys, depth]; of fewer heads, of which q's are a multiple, each serves as many neighbours of q's
 * (grouped queries).
 * @param v [..., heads of k, keys, value depth]
 * @returns [..., heads, queries, value depth]
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for shapes that do not fit or a number
 * out of range, Error for a mask that a gradient is asked of.
 * Source: Vaswani et al.: "Attention is all you need", 2017; Dao, Fu, Ermon, Rudra, Ré: "FlashAttention", 2022;
 * `torch.nn.functional.scaled_dot_product_attention`.
 */
export function scaledDotProductAttention(
  q: TensorLike,
  k: TensorLike,
  v: TensorLike,
  options: AttentionOptions = {},
): Tensor {
  checkOptions('options', options, names);
  const { causal = false, causalOffset = 0, dropoutRate = 0, seed, generator = random, headAxis = -3 } = options;
  checkBoolean('causal', causal);
  checkRange(
    'causalOffset',
    causalOffset,
    'a whole number',
    (value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31,
  );
  checkRange('dropoutRate', dropoutRate, 'a number in [0, 1)', (value) => value >= 0 && value < 1);
  if (headAxis !== -3 && headAxis !== -2) throw new RangeError(`headAxis must be -3 or -2, got ${shown(headAxis)}`);
  checkOptionalSeed(seed);
  if (!(generator instanceof RandomGenerator)) {
    throw new TypeError(`generator must be a RandomGenerator, got ${shown(generator)}`);
  }
  const [query, key] = toTensors('q', q, 'k', k);
  const value = toTensors('q', query, 'v', v)[1];
  const sizes = sizesOf(query, key, value, headAxis);
  const { depth, queries, keys } = sizes;
  const { scale = depth === 0 ? 1 : 1 / Math.sqrt(depth) } = options;
  checkRange('scale', scale, 'a finite number', Number.isFinite);
  const mask: AnyTensor | undefined =
    options.mask === undefined ? undefined : toAnyTensor<TensorDType>('mask', options.mask, query.dtype);
  const maskStrides = mask === undefined ? [0, 0, 0, 0] : stridesOfMask(mask, query, sizes);

  const shape = [...query.shape.slice(0, -1), sizes.valueDepth];
  const y = allocate(query.dtype, shape, sizeOf(shape));
  const rows = sizes.batch * sizes.heads * queries;
  const saved = allocate(query.dtype, [2, rows], 2 * rows);
  const operands = (): Tensor['raw'][] => [query.operand, key.operand, value.operand];
  for (const tensor of [query, key, value, ...(mask === undefined ? [] : [mask])]) {
    if (trace === null) tensor.memory.locate(); // says so when it is gone, before anything is drawn
  }
  const words = Math.ceil(keys / 4);
  const draw = dropoutRate === 0 ? null : generator.take(Math.max(1, rows * words), seed);
  const parts = {
    option: Number(causal) + (mask === undefined ? 0 : mask.dtype === 'bool' ? 4 : 2) + (draw === null ? 0 : 8),
    sizes: [sizes.batch, sizes.heads, sizes.sharedHeads, queries, keys, depth, sizes.valueDepth],
    numbers: [scale, causalOffset, dropoutRate],
    items: [
      ...stridesOfHeads(query.shape, headAxis),
      ...stridesOfHeads(key.shape, headAxis),
      ...stridesOfHeads(value.shape, headAxis),
      ...stridesOfHeads(shape, headAxis),
      ...maskStrides,
      ...(draw === null ? [] : trace === null ? [draw.key, draw.stream, draw.counter] : [-draw.key - 1]),
    ],
  };
  kernels.task('attention', query.dtype, [y.operand, saved.operand, ...operands(), mask?.operand], {
    writes: 2,
    ...parts,
  });
  return record([query, key, value], y, (dy) => {
    const [dq, dk, dv] = [query, key, value].map((of) => allocate(of.dtype, of.shape, of.size)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    kernels.task(
      'attentionGradient',
      query.dtype,
      [dq.operand, dk.operand, dv.operand, dy.operand, y.operand, saved.operand, ...operands(), mask?.operand],
      { writes: 3, ...parts },
    );
    return [dq, dk, dv];
  });
}

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly sharedHeads: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly valueDepth: number;
}

interface Heads {
  readonly lead: Shape;
  readonly heads: number;
  readonly tokens: number;
  readonly depth: number;
}

function headsOf(name: string, { shape }: Tensor, headAxis: -3 | -2): Heads {
  const rank = shape.length;
  if (rank < (headAxis === -2 ? 3 : 2)) {
    const form = headAxis === -2 ? '[..., tokens, heads, depth]' : '[..., heads, tokens, depth]';
    throw new RangeError(`${name} has shape ${showShape(shape)}, expected ${form}`);
  }
  const [first = 1, second, depth] = rank === 2 ? [1, ...shape] : shape.slice(-3);
  const [heads, tokens] = headAxis === -3 ? [first, second!] : [second!, first];
  return { lead: shape.slice(0, -3), heads, tokens, depth: depth! };
}

function sizesOf(q: Tensor, k: Tensor, v: Tensor, headAxis: -3 | -2): Sizes {
  const [query, key, value] = [headsOf('q', q, headAxis), headsOf('k', k, headAxis), headsOf('v', v, headAxis)];
  const refuse = (why: string): never => {
    const shapes = `q has shape ${showShape(q.shape)}, k ${showShape(k.shape)}, v ${showShape(v.shape)}`;
    throw new RangeError(`${shapes}: ${why}`);
  };
  if (q.shape.length !== k.shape.length || !sameShape(query.lead, key.lead)) refuse('leading dimensions must be equal');
  if (k.shape.length !== v.shape.length || !sameShape(key.lead, value.lead)) refuse('leading dimensions must be equal');
  if (query.depth !== key.depth) refuse(`depths ${query.depth} and ${key.depth} of q and k must be equal`);
  if (key.tokens !== value.tokens) refuse(`k and v must have as many tokens`);
  if (key.heads !== value.heads) refuse('k and v must have as many heads');
  if (key.heads === 0 ? query.heads !== 0 : query.heads % key.heads !== 0) {
    refuse(`q's ${query.heads} heads must be a multiple of the ${key.heads} of k`);
  }
  return {
    batch: sizeOf(query.lead),
    heads: query.heads,
    sharedHeads: key.heads,
    queries: query.tokens,
    keys: key.tokens,
    depth: query.depth,
    valueDepth: value.depth,
  };
}

/** How far it is from one batch, head and row to the next. */
function stridesOfHeads(shape: Shape, headAxis: -3 | -2): [number, number, number] {
  const [first = 1, second, depth] = shape.length === 2 ? [1, ...shape] : shape.slice(-3);
  const [outer, inner] = [second! * depth!, depth!];
  return headAxis === -3 ? [first * outer, outer, inner] : [first * outer, inner, outer];
}

/** The same of the mask, and from one key to the next. @throws where it does not broadcast to all scores. */
function stridesOfMask(mask: AnyTensor, q: Tensor, sizes: Sizes): number[] {
  if (mask.dtype !== q.dtype && mask.dtype !== 'bool') {
    throw new TypeError(`q is ${q.dtype} and mask is ${mask.dtype}; it must be the same, or bool`);
  }
  if (isFollowed(mask)) throw new Error('attention gives its mask no gradient: pass it through stopGradient');
  const lead = q.shape.slice(0, -3);
  const scores = [...lead, ...(q.shape.length === 2 ? [] : [sizes.heads]), sizes.queries, sizes.keys];
  const { shape } = mask;
  const from = scores.length - shape.length;
  const own = scores.map((_, d) => shape[d - from] ?? 1);
  const refuse = (why: string): never => {
    throw new RangeError(`mask has shape ${showShape(shape)}, scores have ${showShape(scores)}: ${why}`);
  };
  if (from < 0 || own.some((size, d) => size !== 1 && size !== scores[d])) refuse('it does not broadcast to that');
  const strides = stridesOf(own).map((stride, d) => (own[d] === 1 ? 0 : stride));
  const isLead = own.slice(0, lead.length);
  const batch = sizeOf(isLead);
  if (batch !== 1 && batch !== sizes.batch) refuse('it must have all of the leading dimensions or none');
  const heads = q.shape.length === 2 ? 0 : strides.at(-3)!;
  const each = batch === 1 ? 0 : sizeOf(own.slice(lead.length));
  return [each, heads, strides.at(-2)!, strides.at(-1)!];
}
