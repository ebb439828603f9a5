import { expect } from 'chai';
import {
  AdamOptimizer,
  checkpointed,
  compileStep,
  gradients,
  keep,
  ops,
  random,
  tensor,
  tidy,
  variable,
  type Tensor,
  type Variable,
} from 'gradstep';
import { denseOf, randomTensor } from '../support/numeric-gradient';

const x = randomTensor([8, 6], { dtype: 'float32' });

function layers(): { weights: Variable[]; layer: (i: number) => (input: Tensor) => Tensor } {
  const weights = [0, 1, 2].map((i) =>
    variable(randomTensor([6, 6], { seed: i + 1, dtype: 'float32' }).data.slice(), { shape: [6, 6], name: `w${i}` }),
  );
  return { weights, layer: (i) => (input) => ops.tanh(ops.softmax(ops.matMul(input, weights[i]!))) };
}

const loss = (y: Tensor): Tensor => ops.reduceSum(ops.square(y));

/** What gradients are of the layers one after the other, each wrapped. */
function stackOf(
  wrap: (f: (input: Tensor) => Tensor) => (input: Tensor) => Tensor,
  layer: (i: number) => (input: Tensor) => Tensor,
) {
  return () => loss([0, 1, 2].reduce((input: Tensor, i) => wrap(layer(i))(input), x));
}

describe('checkpointed', () => {
  it('gives the same value and gradients, bit for bit', () => {
    const { weights, layer } = layers();
    const plain = stackOf((f) => f, layer);
    const again = stackOf((f) => checkpointed(f), layer);
    expect(again().item()).to.equal(plain().item());
    const expected = gradients(plain, [x, ...weights]);
    gradients(again, [x, ...weights]).forEach((gradient, i) => {
      expect([...denseOf(gradient)]).to.deep.equal([...denseOf(expected[i])]);
    });
  });

  it('finds the variables that are read in it, and of these the trainable ones', () => {
    const { weights, layer } = layers();
    const fixed = variable([1, 2, 3, 4, 5, 6], { trainable: false });
    const f = checkpointed((input: Tensor) => ops.mul(layer(1)(input), fixed));
    const optimizer = new AdamOptimizer({ learningRate: 0.1 });
    const pairs = optimizer.computeGradients(() => loss(f(x)));
    expect(pairs.map(([, { name }]) => name)).to.deep.equal(['w1']);
    expect([...denseOf(pairs[0]![0])]).to.deep.equal([
      ...denseOf(gradients(() => loss(ops.mul(layer(1)(x), fixed)), [weights[1]!])[0]),
    ]);
  });

  it('draws what is dropped once', () => {
    const { weights, layer } = layers();
    const f = (input: Tensor): Tensor => ops.dropout(layer(0)(input), { rate: 0.5 });
    const both = [f, checkpointed(f)].map((g) => {
      random.seed(5);
      const [dw] = gradients(() => loss(ops.mul(g(x), g(x))), [weights[0]!]);
      return { dw: [...denseOf(dw)], next: [...random.uniform([3]).data] };
    });
    expect(both[1]).to.deep.equal(both[0]);
  });

  it('keeps no intermediate values', () => {
    const kept: Tensor[] = [];
    const f = checkpointed((input: Tensor) => {
      const inner = ops.exp(input);
      kept.push(inner);
      return ops.square(inner);
    });
    gradients(() => {
      const y = loss(f(x));
      expect(kept[0]!.isDisposed).to.equal(true);
      return y;
    }, [x]);
    expect(kept).to.have.length(2);
    expect(kept[1]!.isDisposed).to.equal(true);
  });

  it('runs as it is where nothing is differentiated, and within others', () => {
    let runs = 0;
    const f = checkpointed((input: Tensor) => {
      runs++;
      return ops.exp(input);
    });
    expect([...tidy(() => keep(f(tensor([0])))).data]).to.deep.equal([1]);
    expect(runs).to.equal(1);
    const outer = checkpointed((input: Tensor) => f(f(input)));
    const a = tensor([0.1]);
    const [da] = gradients(() => outer(a), [a]);
    expect([...denseOf(da)]).to.deep.equal([...denseOf(gradients(() => ops.exp(ops.exp(a)), [a])[0])]);
  });

  it('takes several inputs, the same one twice, and what no gradient is asked of', () => {
    const [a, b] = [randomTensor([3]), randomTensor([3], { seed: 2 })];
    const f = (p: Tensor, q: Tensor): Tensor => ops.mul(ops.exp(p), q);
    const g = checkpointed<[Tensor, Tensor]>(f);
    for (const [p, q] of [
      [a, b],
      [a, a],
      [b, a],
    ] as const) {
      const [da] = gradients(() => g(p, q), [a]);
      expect([...denseOf(da)]).to.deep.equal([...denseOf(gradients(() => f(p, q), [a])[0])]);
    }
  });

  it('trains alike when it is compiled', () => {
    const losses = [true, false].map((isCompiled) => {
      const { weights, layer } = layers();
      random.seed(9);
      const optimizer = new AdamOptimizer({ learningRate: 0.01 });
      const f = (i: number) => checkpointed((input: Tensor) => ops.dropout(layer(i)(input), { rate: 0.25 }));
      const whole = (): Tensor => loss(f(1)(f(0)(x)));
      if (isCompiled) {
        const step = compileStep({ inputs: {}, loss: whole, optimizer, varList: weights.slice(0, 2) });
        for (let i = 0; i < 5; i++) step.runSync({});
      } else for (let i = 0; i < 5; i++) optimizer.minimize(whole, { varList: weights.slice(0, 2) });
      return weights.map(({ data }) => [...data]);
    });
    expect(losses[1]).to.deep.equal(losses[0]);
  });

  it('refuses gradients of gradients, functions that give no tensor, and those that do something else the second time', () => {
    const f = checkpointed((input: Tensor) => ops.exp(input));
    expect(() => gradients(() => gradients(() => f(x), [x])[0] as Tensor, [x])).to.throw(
      Error,
      'gradients of gradients are not supported through',
    );
    expect(() => checkpointed(3 as never)).to.throw(TypeError, 'f must be a function');
    expect(() => gradients(() => checkpointed((_: Tensor) => 3 as never)(x), [x])).to.throw(
      TypeError,
      'f must return a Tensor',
    );
    let rate = 0;
    const other = checkpointed((input: Tensor) => ops.dropout(input, { rate: (rate += 0.25) === 0.25 ? 0 : rate }));
    expect(() => gradients(() => other(x), [x])).to.throw(Error, 'must do the same');
  });
});
