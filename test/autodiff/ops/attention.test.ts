import { expect } from 'chai';
import {
  compile,
  compileStep,
  gradients,
  GradientDescentOptimizer,
  ops,
  RandomGenerator,
  tensor,
  variable,
  type Tensor,
} from 'gradstep';
import { expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';
import { dtypes, expectSameEverywhere } from '../../support/parity';

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly shared: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly valueDepth: number;
}

/** Attention by its formula, a score at a time; `added` tells what each score gets. */
function plain(q: Tensor, k: Tensor, v: Tensor, s: Sizes, scale: number, added: (...at: number[]) => number): number[] {
  const y: number[] = [];
  const group = s.heads / s.shared;
  for (let unit = 0; unit < s.batch * s.heads; unit++) {
    const [b, h] = [Math.floor(unit / s.heads), unit % s.heads];
    const other = b * s.shared + Math.floor(h / group);
    for (let i = 0; i < s.queries; i++) {
      const scores = Array.from({ length: s.keys }, (_, j) => {
        let sum = 0;
        for (let d = 0; d < s.depth; d++) {
          sum += q.data[(unit * s.queries + i) * s.depth + d]! * k.data[(other * s.keys + j) * s.depth + d]!;
        }
        return sum * scale + added(b, h, i, j);
      });
      const top = Math.max(...scores);
      const weights = scores.map((score) => (top === -Infinity ? 0 : Math.exp(score - top)));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let d = 0; d < s.valueDepth; d++) {
        let sum = 0;
        weights.forEach((weight, j) => (sum += weight * v.data[(other * s.keys + j) * s.valueDepth + d]!));
        y.push(total === 0 ? 0 : sum / total);
      }
    }
  }
  return y;
}

function heads(s: Sizes, dtype: 'float32' | 'float64' = 'float64'): [Tensor, Tensor, Tensor] {
  return [
    randomTensor([s.batch, s.heads, s.queries, s.depth], { seed: 1, dtype }),
    randomTensor([s.batch, s.shared, s.keys, s.depth], { seed: 2, dtype }),
    randomTensor([s.batch, s.shared, s.keys, s.valueDepth], { seed: 3, dtype }),
  ];
}

const sizes: readonly Sizes[] = [
  { batch: 1, heads: 1, shared: 1, queries: 1, keys: 1, depth: 1, valueDepth: 1 },
  { batch: 2, heads: 3, shared: 3, queries: 5, keys: 7, depth: 4, valueDepth: 4 },
  { batch: 1, heads: 2, shared: 2, queries: 49, keys: 130, depth: 17, valueDepth: 33 },
  { batch: 1, heads: 4, shared: 2, queries: 97, keys: 300, depth: 8, valueDepth: 5 },
  { batch: 2, heads: 4, shared: 1, queries: 130, keys: 129, depth: 32, valueDepth: 32 },
];
const small = sizes.slice(0, 2).concat({ ...sizes[3]!, queries: 3, keys: 5, valueDepth: 2, depth: 3 });

describe('scaledDotProductAttention', () => {
  it('is softmax(scale q kT) v for each head, also where heads share keys', () => {
    for (const s of sizes) {
      const [q, k, v] = heads(s);
      const y = ops.scaledDotProductAttention(q, k, v);
      expect(y.shape).to.deep.equal([s.batch, s.heads, s.queries, s.valueDepth]);
      expectClose(
        y.data,
        plain(q, k, v, s, 1 / Math.sqrt(s.depth), () => 0),
        1e-12,
      );
      expectClose(
        ops.scaledDotProductAttention(q, k, v, { scale: -0.3 }).data,
        plain(q, k, v, s, -0.3, () => 0),
        1e-12,
      );
    }
  });

  it('lets a query see keys up to its own where it is causal', () => {
    for (const s of sizes) {
      const [q, k, v] = heads(s);
      for (const causalOffset of [0, 3, -2, s.keys - s.queries, -1000]) {
        const y = ops.scaledDotProductAttention(q, k, v, { causal: true, causalOffset });
        const added = (_: number, __: number, i: number, j: number): number => (j <= i + causalOffset ? 0 : -Infinity);
        expectClose(y.data, plain(q, k, v, s, 1 / Math.sqrt(s.depth), added), 1e-12);
      }
    }
  });

  it('adds a mask that broadcasts to the scores', () => {
    for (const s of sizes) {
      const [q, k, v] = heads(s);
      for (const shape of [
        [s.batch, s.heads, s.queries, s.keys],
        [s.queries, s.keys],
        [s.batch, 1, 1, s.keys],
        [s.heads, 1, 1],
        [s.queries, 1],
        [],
      ]) {
        const mask = randomTensor(shape, { seed: 9 });
        mask.data.forEach((_, i) => (mask.data[i]! < -1 && i % 5 === 0 ? (mask.data[i] = -Infinity) : 0));
        const all = ops.add(mask, tensor(new Float64Array(s.batch * s.heads * s.queries * s.keys), [s.batch, s.heads, s.queries, s.keys])); // prettier-ignore
        const added = (b: number, h: number, i: number, j: number): number =>
          all.data[((b * s.heads + h) * s.queries + i) * s.keys + j]!;
        const y = ops.scaledDotProductAttention(q, k, v, { mask });
        expectClose(y.data, plain(q, k, v, s, 1 / Math.sqrt(s.depth), added), 1e-12);
      }
    }
  });

  it('takes a mask of which keys are seen', () => {
    for (const s of sizes) {
      const all = heads(s);
      for (const shape of [
        [s.batch, s.heads, s.queries, s.keys],
        [s.batch, 1, 1, s.keys],
        [s.queries, 1],
      ]) {
        const seen = randomTensor(shape, { seed: 9 }).data.map((value) => (value > -1 ? 1 : 0));
        const mask = ops.cast(tensor(seen, shape), 'bool');
        const added = tensor(
          seen.map((value) => (value === 1 ? 0 : -Infinity)),
          shape,
        );
        const gradYs = randomTensor([s.batch, s.heads, s.queries, s.valueDepth], { seed: 8 });
        const results = [mask, added].map((of) => {
          const f = (): Tensor => ops.scaledDotProductAttention(...all, { mask: of });
          return [f(), ...gradients(f, all, { gradYs })].map((found) => [...(found as Tensor).data]);
        });
        expect(results[0]).to.deep.equal(results[1]);
      }
    }
  });

  it('has the gradients that differences show', () => {
    for (const s of small) {
      const all = heads(s);
      const mask = randomTensor([s.queries, s.keys], { seed: 9 });
      expectGradients((q, k, v) => ops.scaledDotProductAttention(q, k, v), all, 1e-6);
      expectGradients((q, k, v) => ops.scaledDotProductAttention(q, k, v, { causal: true }), all, 1e-6);
      expectGradients((q, k, v) => ops.scaledDotProductAttention(q, k, v, { mask, scale: 0.7 }), all, 1e-6);
    }
  });

  it('has the gradients of the same made of other ops, over several blocks', () => {
    for (const causal of [false, true]) {
      const s = { ...sizes[4]!, shared: 4, keys: 300 };
      const all = heads(s);
      const hidden = Float64Array.from({ length: s.queries * s.keys }, (_, i) =>
        causal && i % s.keys > Math.floor(i / s.keys) ? -Infinity : 0,
      );
      const mask = tensor(hidden, [s.queries, s.keys]);
      const gradYs = randomTensor([s.batch, s.heads, s.queries, s.valueDepth], { seed: 8 });
      const composed = (): Tensor => {
        const scores = ops.mul(ops.matMul(all[0], all[1], { transposeB: true }), 1 / Math.sqrt(s.depth));
        return ops.matMul(ops.softmax(ops.add(scores, mask)), all[2]);
      };
      const expected = gradients(composed, all, { gradYs });
      const found = gradients(() => ops.scaledDotProductAttention(...all, { causal }), all, { gradYs });
      found.forEach((gradient, i) => expectClose((gradient as Tensor).data, (expected[i] as Tensor).data, 1e-11));
    }
  });

  it('takes heads behind tokens just as well', () => {
    const s = sizes[3]!;
    const all = heads(s);
    const swap = [0, 2, 1, 3];
    const behind = all.map((x) => ops.transpose(x, swap)) as [Tensor, Tensor, Tensor];
    const y = ops.scaledDotProductAttention(...behind, { headAxis: -2, causal: true });
    expect(ops.transpose(y, swap).data).to.deep.equal(ops.scaledDotProductAttention(...all, { causal: true }).data);
    const gradYs = randomTensor(y.shape, { seed: 8 });
    const found = gradients(() => ops.scaledDotProductAttention(...behind, { headAxis: -2 }), behind, { gradYs });
    const expected = gradients(() => ops.scaledDotProductAttention(...all), all, {
      gradYs: ops.transpose(gradYs, swap),
    });
    found.forEach((gradient, i) =>
      expect(ops.transpose(gradient as Tensor, swap).data).to.deep.equal((expected[i] as Tensor).data),
    );
  });

  it('works without heads, and on nothing', () => {
    expect(
      ops.scaledDotProductAttention(...([0, 1, 2].map(() => tensor([], [2, 0, 3, 4])) as [Tensor, Tensor, Tensor]))
        .shape,
    ).to.deep.equal([2, 0, 3, 4]);
    const [q, k, v] = [randomTensor([5, 4]), randomTensor([6, 4], { seed: 2 }), randomTensor([6, 3], { seed: 3 })];
    const s = { batch: 1, heads: 1, shared: 1, queries: 5, keys: 6, depth: 4, valueDepth: 3 };
    expectClose(
      ops.scaledDotProductAttention(q, k, v).data,
      plain(q, k, v, s, 0.5, () => 0),
      1e-13,
    );
    const empty = (...shape: number[]): Tensor => tensor([], shape);
    expect(ops.scaledDotProductAttention(empty(0, 4), tensor(k.data, k.shape, 'float32'), tensor(v.data, v.shape, 'float32')).shape).to.deep.equal([0, 3]); // prettier-ignore
    expect([...ops.scaledDotProductAttention(tensor([[1, 2]]), empty(0, 2), empty(0, 3)).data]).to.deep.equal([
      0, 0, 0,
    ]);
  });

  it('gives a query that sees no key 0, and no gradient', () => {
    const all = heads({ ...sizes[1]!, queries: 4 });
    const mask = tensor(Float64Array.of(0, -Infinity, 0, 0), [4, 1]);
    const y = ops.scaledDotProductAttention(...all, { mask });
    const row = (t: Tensor, i: number): number[] => [...t.data.subarray(4 * i, 4 * i + 4)];
    expect(row(y, 1)).to.deep.equal([0, 0, 0, 0]);
    const found = gradients(() => ops.scaledDotProductAttention(...all, { mask }), all) as Tensor[];
    expect(row(found[0]!, 1)).to.deep.equal([0, 0, 0, 0]);
    for (const gradient of found) expect(gradient.data.every(Number.isFinite)).to.equal(true);
  });

  it('drops weights, the same in both directions, by the draw', () => {
    const s = { ...sizes[1]!, keys: 200 };
    const all = heads(s);
    const draw = (seed: number): Tensor =>
      ops.scaledDotProductAttention(...all, { dropoutRate: 0.4, generator: new RandomGenerator(seed) });
    expect(draw(1).data).to.deep.equal(draw(1).data);
    expect(draw(1).data).not.to.deep.equal(draw(2).data);
    const generator = new RandomGenerator(3);
    const f = (q: Tensor, k: Tensor, v: Tensor): Tensor =>
      ops.scaledDotProductAttention(q, k, v, { dropoutRate: 0.3, generator, seed: 5 });
    const fixed = (...xs: Tensor[]): Tensor => {
      generator.seed(3);
      return f(xs[0]!, xs[1]!, xs[2]!);
    };
    const few = heads(small[1]!);
    expectGradients(fixed, few, 1e-6);
    // Of equal values every output is the sum of the weights that stay.
    const ones = [all[0], all[1], tensor(new Float64Array(all[2].size).fill(1), all[2].shape)] as const;
    const mean = ops.reduceMean(ops.scaledDotProductAttention(...ones, { dropoutRate: 0.25, generator })).item();
    expect(mean).to.be.closeTo(1, 0.1);
  });

  it('does the same in float32, to its precision', () => {
    const s = sizes[2]!;
    expectFloat32((q, k, v) => ops.scaledDotProductAttention(q, k, v, { causal: true }), heads(s), 2e-5);
  });

  it('has the same bytes everywhere, and its gradients', () => {
    for (const [dtype] of dtypes) {
      for (const s of sizes) {
        const all = heads(s, dtype);
        const gradYs = randomTensor([s.batch, s.heads, s.queries, s.valueDepth], { seed: 8, dtype });
        expectSameEverywhere('attention', () => {
          const options = { causal: true, dropoutRate: 0.2, generator: new RandomGenerator(1) };
          const f = (): Tensor => ops.scaledDotProductAttention(...all, options);
          return [f().data, ...gradients(f, all, { gradYs }).map((g) => (g as Tensor).data)];
        });
      }
    }
  });

  it('does the same in what is compiled, dropped weights included', () => {
    const make = () => {
      const w = variable(randomTensor([4, 12], { dtype: 'float32' }), { name: 'w' });
      const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
      const generator = new RandomGenerator(7);
      const loss = (x: Tensor): Tensor => {
        const qkv = [0, 1, 2].map((i) => ops.mul(ops.matMul(x, w), i + 1)) as [Tensor, Tensor, Tensor];
        return ops.reduceMean(
          ops.square(ops.scaledDotProductAttention(...qkv, { causal: true, dropoutRate: 0.2, generator })),
        );
      };
      return { w, optimizer, loss };
    };
    const [eager, other] = [make(), make()];
    const step = compileStep({
      inputs: { x: { shape: [6, 4] } },
      loss: ({ x }) => other.loss(x),
      optimizer: other.optimizer,
    });
    for (let i = 0; i < 3; i++) {
      const x = randomTensor([6, 4], { seed: i, dtype: 'float32' });
      eager.optimizer.minimize(() => eager.loss(x));
      step.runSync({ x });
    }
    expect([...other.w.data]).to.deep.equal([...eager.w.data]);
    const attend = compile(({ q }) => ops.scaledDotProductAttention(q, q, q), { inputs: { q: { shape: [6, 4] } } });
    const q = randomTensor([6, 4], { dtype: 'float32' });
    expect(attend.runSync({ q }).data).to.deep.equal(ops.scaledDotProductAttention(q, q, q).data);
  });

  it('refuses shapes that do not fit, and a mask that a gradient is asked of', () => {
    const [q, k, v] = heads(sizes[1]!);
    const attend = ops.scaledDotProductAttention;
    const of = (...shape: number[]): Tensor => randomTensor(shape);
    expect(() => attend(q, of(2, 3, 7, 5), v)).to.throw(RangeError, 'depths 4 and 5 of q and k must be equal');
    expect(() => attend(q, k, of(2, 3, 6, 4))).to.throw(RangeError, 'k and v must have as many tokens');
    expect(() => attend(q, of(2, 2, 7, 4), of(2, 2, 7, 4))).to.throw(RangeError, "q's 3 heads must be a multiple");
    expect(() => attend(q, of(1, 3, 7, 4), of(1, 3, 7, 4))).to.throw(RangeError, 'leading dimensions');
    expect(() => attend(of(4), k, v)).to.throw(RangeError, 'q has shape [4], expected [..., heads, tokens, depth]');
    expect(() => attend(q, k, v, { mask: of(5, 6) })).to.throw(RangeError, 'mask has shape [5, 6]');
    expect(() => attend(q, k, v, { mask: new Float32Array(7) })).to.throw(TypeError, 'mask is float32');
    expect(() => attend(q, k, v, { dropoutRate: 1 })).to.throw(RangeError, 'dropoutRate');
    expect(() => attend(q, k, v, { scale: NaN })).to.throw(RangeError, 'scale must be a finite number');
    expect(() => attend(q, k, v, { causal: 1 as never })).to.throw(TypeError, 'causal');
    const mask = randomTensor([5, 7]);
    expect(() => gradients(() => attend(q, k, v, { mask }), [mask])).to.throw(Error, 'stopGradient');
    expect(gradients(() => attend(q, k, v, { mask: ops.stopGradient(mask) }), [q])[0]).not.to.equal(null);
  });
});

describe('rotaryEmbedding', () => {
  const turned = (x: Tensor, tokens: number, depth: number, rotated: number, isInterleaved: boolean): number[] => {
    const y = Array.from(x.data);
    for (let row = 0; row < x.size / depth; row++) {
      for (let i = 0; i < rotated / 2; i++) {
        const angle = (row % tokens) * 10000 ** ((-2 * i) / rotated);
        const [a, b] = isInterleaved ? [2 * i, 2 * i + 1] : [i, i + rotated / 2];
        const [xa, xb] = [x.data[row * depth + a]!, x.data[row * depth + b]!];
        y[row * depth + a] = xa * Math.cos(angle) - xb * Math.sin(angle);
        y[row * depth + b] = xb * Math.cos(angle) + xa * Math.sin(angle);
      }
    }
    return y;
  };

  it('turns pairs by the angle of their token', () => {
    const x = randomTensor([2, 3, 7, 10]);
    for (const interleaved of [false, true]) {
      expectClose(ops.rotaryEmbedding(x, { interleaved }).data, turned(x, 7, 10, 10, interleaved), 1e-14);
      const part = ops.rotaryEmbedding(x, { interleaved, rotatedDims: 4 });
      expectClose(part.data, turned(x, 7, 10, 4, interleaved), 1e-14);
      expectGradients((t) => ops.rotaryEmbedding(t, { interleaved, rotatedDims: 6 }), [randomTensor([2, 3, 8])]);
      expectFloat32((t) => ops.rotaryEmbedding(t, { interleaved }), [x], 1e-6);
    }
  });

  it('finds tokens in front of heads, and counts them from an offset', () => {
    const x = randomTensor([2, 7, 3, 10]);
    const swap = [0, 2, 1, 3];
    const expected = ops.transpose(ops.rotaryEmbedding(ops.transpose(x, swap)), swap);
    expect(ops.rotaryEmbedding(x, { tokenAxis: -3 }).data).to.deep.equal(expected.data);
    const all = randomTensor([7, 4]);
    const last = tensor(all.data.slice(20), [2, 4]);
    expect(ops.rotaryEmbedding(last, { offset: 5 }).data).to.deep.equal(ops.rotaryEmbedding(all).data.subarray(20));
  });

  it('has the same bytes everywhere', () => {
    const x = randomTensor([2, 300, 3, 34], { dtype: 'float32' });
    expectSameEverywhere('rotaryEmbedding', () => [ops.rotaryEmbedding(x, { tokenAxis: 1 }).data]);
  });

  it('refuses an odd depth and dimensions that are none', () => {
    expect(() => ops.rotaryEmbedding(randomTensor([3, 5]))).to.throw(RangeError, 'rotatedDims must be an even number');
    expect(() => ops.rotaryEmbedding(randomTensor([4]))).to.throw(RangeError, 'expected [..., tokens, depth]');
    expect(() => ops.rotaryEmbedding(randomTensor([3, 4]), { tokenAxis: -1 })).to.throw(RangeError, 'tokenAxis');
    expect(() => ops.rotaryEmbedding(randomTensor([3, 4]), { base: 0 })).to.throw(RangeError, 'base');
  });
});

describe('embeddingLookup', () => {
  it('takes rows in the shape of the ids, with a sparse gradient', () => {
    const table = tensor([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    const y = ops.embeddingLookup(table, [2, 0, 1, 1], { shape: [2, 2] });
    expect(y.toArray()).to.deep.equal([[[5, 6], [1, 2]], [[3, 4], [3, 4]]]); // prettier-ignore
    expect(ops.embeddingLookup(table, [1]).toArray()).to.deep.equal([[3, 4]]);
    expectGradients((t) => ops.embeddingLookup(t, [2, 0, 1, 1], { shape: [2, 2] }), [randomTensor([3, 2])]);
    expect(() => ops.embeddingLookup(table, [2, 0], { shape: [3] })).to.throw(RangeError, 'sizes');
    expect(() => ops.embeddingLookup(table, [3])).to.throw(RangeError);
  });

  it('takes its shape from an int32 input in what is compiled', () => {
    const table = randomTensor([5, 3], { dtype: 'float32' });
    const look = compile(({ ids }) => ops.embeddingLookup(table, ids), {
      inputs: { ids: { shape: [2, 3], dtype: 'int32' } },
    });
    const y = look.runSync({ ids: [0, 1, 2, 3, 4, 0] });
    expect(y.shape).to.deep.equal([2, 3, 3]);
    expect(y.data).to.deep.equal(ops.embeddingLookup(table, [0, 1, 2, 3, 4, 0]).data);
  });

  it('takes ids in any shape, as a tensor', () => {
    const table = randomTensor([5, 3]);
    const ids = tensor(Int32Array.of(4, 0, 2, 2, 1, 3), [3, 2]);
    expect(ops.embeddingLookup(table, ids).shape).to.deep.equal([3, 2, 3]);
    expect(ops.embeddingLookup(table, ids, { maxNorm: 1 }).shape).to.deep.equal([3, 2, 3]);
    expectGradients((t) => ops.embeddingLookup(t, ids, { maxNorm: 1 }), [table]);
  });

  it('scales rows down to a norm', () => {
    const table = tensor(Float64Array.of(3, 4, 0.3, 0.4, 0, 0), [3, 2]);
    expectClose(ops.embeddingLookup(table, [0, 1, 2], { maxNorm: 1 }).data, [0.6, 0.8, 0.3, 0.4, 0, 0], 1e-15);
    expectGradients((t) => ops.embeddingLookup(t, [0, 1, 2, 0], { maxNorm: 1 }), [table]);
  });
});
