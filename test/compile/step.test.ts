import { expect } from 'chai';
import {
  AdamOptimizer,
  clipByGlobalNorm,
  compileStep,
  createGlobalStep,
  customGradient,
  ExponentialMovingAverage,
  GradientDescentOptimizer,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  ops,
  RandomGenerator,
  SyncReplicasOptimizer,
  tensor,
  tidy,
  variable,
  type Tensor,
  type Variable,
} from 'gradstep';

const square = (w: Variable) => (): Tensor => ops.reduceSum(ops.square(w));
const sgd = (learningRate: number | (() => number) = 0.1) => new GradientDescentOptimizer({ learningRate });
const none = { inputs: {} };

describe('compileStep', () => {
  it('steps as the eager step does', () => {
    const [w, v] = [variable([1, 2, 3]), variable([1, 2, 3])];
    const x = Float32Array.of(0.5, -1, 2);
    const [compiledStep, eagerStep] = [createGlobalStep(), createGlobalStep()];
    const step = compileStep({
      inputs: { x: { shape: [3] } },
      loss: ({ x }) => ops.reduceMean(ops.square(ops.mul(x, w))),
      optimizer: new AdamOptimizer({ learningRate: 0.1 }),
      globalStep: compiledStep,
      clip: { globalNorm: 1 },
    });
    const optimizer = new AdamOptimizer({ learningRate: 0.1 });
    for (let i = 0; i < 5; i++) {
      const pairs = optimizer.computeGradients(() => ops.reduceMean(ops.square(ops.mul(x, v))));
      const [clipped, norm] = clipByGlobalNorm(pairs, 1);
      optimizer.applyGradients(clipped, { globalStep: eagerStep });
      expect(step.runSync({ x })).to.deep.equal({ loss: pairs.loss.item(), norm, applied: true });
      expect(w.data).to.deep.equal(v.data);
    }
    expect(compiledStep.value).to.equal(5);
  });

  it('runs the loss once', () => {
    const w = variable([1, 2]);
    let calls = 0;
    const step = compileStep({ ...none, loss: () => (calls++, square(w)()), optimizer: sgd() });
    for (let i = 0; i < 3; i++) step.runSync({});
    expect(calls).to.equal(1);
  });

  it('reads tensors and typed arrays of the loss anew in each run', () => {
    const w = variable([1, 1]);
    const given = Float32Array.of(1, 2);
    const factor = tensor([2]);
    const labels = Int32Array.of(0, 1);
    const logits = variable([
      [1, 2],
      [3, 4],
    ]);
    const loss = (): Tensor =>
      ops.add(
        ops.reduceSum(ops.mul(ops.mul(w, given), factor)),
        ops.reduceSum(ops.sparseSoftmaxCrossEntropyWithLogits(labels, logits)),
      );
    const step = compileStep({ ...none, loss, optimizer: sgd(0) });
    expect(step.runSync({}).loss).to.equal(tidy(() => loss().item()));
    given.fill(7);
    factor.data[0] = 3;
    labels.set([1, 0]);
    expect(step.runSync({}).loss).to.equal(tidy(() => loss().item()));
    labels[1] = 2;
    expect(() => step.runSync({})).to.throw(RangeError, 'indices[1] is 2, expected 0 to 2 (exclusive)');
  });

  it('asks schedules in each run', () => {
    const w = variable([1]);
    let rate = 0.25;
    const step = compileStep({ ...none, loss: square(w), optimizer: sgd(() => rate) });
    step.runSync({});
    expect(w.item()).to.equal(0.5);
    rate = 0;
    step.runSync({});
    expect(w.item()).to.equal(0.5);
  });

  it('leaves a step out when a dynamic loss scale finds gradients that are not finite', () => {
    const w = variable([1]);
    const inner = new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 });
    const optimizer = new MixedPrecisionLossScaleOptimizer(inner, 'dynamic');
    const globalStep = createGlobalStep();
    const step = compileStep({
      inputs: { x: { shape: [] } },
      loss: ({ x }) => ops.reduceSum(ops.mul(w, x)),
      optimizer,
      globalStep,
    });
    expect(step.runSync({ x: Float32Array.of(Infinity) })).to.include({ loss: Infinity, applied: false });
    expect([w.item(), globalStep.value, optimizer.lossScale.value]).to.deep.equal([1, 0, 2 ** 14]);
    expect(inner.getSlotNames()).to.deep.equal([]);
    expect(step.runSync({ x: Float32Array.of(1) })).to.include({ loss: 1, applied: true });
    expect(globalStep.value).to.equal(1);
  });

  it('alternates with other steps, compiled or not, of the same optimizer', () => {
    const [a, b] = [variable([1, 2], { name: 'a' }), variable([3], { name: 'b' })];
    const [c, d] = [variable([1, 2], { name: 'a' }), variable([3], { name: 'b' })];
    const [one, other] = [new AdamOptimizer(), new AdamOptimizer()];
    const steps = [a, b].map((w) => compileStep({ ...none, loss: square(w), optimizer: one }));
    for (let i = 0; i < 4; i++) {
      for (const step of steps) step.runSync({});
      one.minimize(() => ops.add(square(a)(), square(b)()));
      for (const w of [c, d]) other.minimize(square(w));
      other.minimize(() => ops.add(square(c)(), square(d)()));
    }
    expect([a.data, b.data]).to.deep.equal([c.data, d.data]);
  });

  it('steps the groups and the varList that it is told of', () => {
    const [a, b, c] = [variable([1]), variable([1]), variable([1])];
    const optimizer = new GradientDescentOptimizer({
      learningRate: 0.5,
      groups: [{ variables: [b], learningRate: 0.25 }],
    });
    const loss = (): Tensor => ops.add(ops.add(square(a)(), square(b)()), square(c)());
    const step = compileStep({ ...none, loss, optimizer, varList: [b, a] });
    step.runSync({});
    expect([a.item(), b.item(), c.item()]).to.deep.equal([0, 0.5, 1]);
    expect(step.variables).to.deep.equal([b, a]);
  });

  it('multiplies by gradLoss', () => {
    const w = variable([1, 1]);
    const gradLoss = Float32Array.of(1, 0);
    const step = compileStep({ ...none, loss: () => ops.square(w), optimizer: sgd(0.25), gradLoss });
    step.runSync({});
    gradLoss.set([0, 1]);
    step.runSync({});
    expect([...w.data]).to.deep.equal([0.5, 0.5]);
  });

  it('applies constraints that are ops', () => {
    const constraint = (value: Tensor): Tensor => ops.maximum(value, 0.25);
    const w = variable([1, -1], { constraint });
    const step = compileStep({ ...none, loss: square(w), optimizer: sgd(0.5) });
    step.runSync({});
    expect([...w.data]).to.deep.equal([0.25, 0.25]);
  });

  it('applies constraints that are not, and puts everything back when they throw', () => {
    let isBad = false;
    const constraint = ({ data }: Tensor): Float32Array => {
      if (isBad) throw new Error('bad');
      return Float32Array.from(data, (x) => Math.max(x, 0.25));
    };
    const w = variable([1, -1], { constraint });
    const optimizer = new MomentumOptimizer({ learningRate: 0.5, momentum: 0.5 });
    const step = compileStep({ ...none, loss: square(w), optimizer });
    isBad = true;
    expect(() => step.runSync({})).to.throw('bad');
    expect([...w.data]).to.deep.equal([1, -1]);
    expect(optimizer.getSlotNames()).to.deep.equal([]);
    isBad = false;
    step.runSync({});
    expect([...w.data]).to.deep.equal([0.25, 0.25]);
  });

  it('updates averages after each step', () => {
    const [w, v] = [variable([1, 2]), variable([1, 2])];
    const [averages, others] = [new ExponentialMovingAverage(0.5), new ExponentialMovingAverage(0.5)];
    const step = compileStep({ ...none, loss: square(w), optimizer: sgd(), averages });
    for (let i = 0; i < 3; i++) {
      step.runSync({});
      sgd().minimize(square(v));
      others.apply([v]);
    }
    expect(averages.average(w)!.data).to.deep.equal(others.average(v)!.data);
  });

  it('has its statistics in shared memory', () => {
    const step = compileStep({ ...none, loss: square(variable([3])), optimizer: sgd(), clip: { globalNorm: 1 } });
    step.runSync({});
    expect(step.statistics.buffer).to.be.instanceOf(SharedArrayBuffer);
    expect([...step.statistics]).to.deep.equal([9, 6, 1]);
  });

  it('draws anew in each run, and takes nothing that is refused', () => {
    const generator = new RandomGenerator(1);
    const table = variable([[1], [1], [1], [1], [1], [1], [1], [1]]);
    const step = compileStep({
      inputs: { rows: { shape: [8], dtype: 'int32' } },
      loss: ({ rows }) => ops.reduceSum(ops.dropout(ops.gather(table, rows), { rate: 0.5, generator })),
      optimizer: sgd(0),
    });
    const rows = [0, 1, 2, 3, 4, 5, 6, 7];
    expect(() => step.runSync({ rows: [8, 0, 0, 0, 0, 0, 0, 0] })).to.throw(RangeError);
    const losses = Array.from({ length: 4 }, () => step.runSync({ rows }).loss);
    const other = new RandomGenerator(1);
    const expected = losses.map(() => {
      return tidy(() => ops.reduceSum(ops.dropout(ops.gather(table, rows), { rate: 0.5, generator: other })).item());
    });
    expect(losses).to.deep.equal(expected);
    expect(new Set(losses).size).to.be.greaterThan(1);
  });

  it('follows gradients of a custom op', () => {
    const w = variable([1, 2]);
    const double = customGradient((x) => ({ value: ops.mul(x, 2), gradient: (dy) => [ops.mul(dy, 10)] }));
    const step = compileStep({ ...none, loss: () => ops.reduceSum(double(w)), optimizer: sgd(1) });
    step.runSync({});
    expect([...w.data]).to.deep.equal([-9, -8]);
  });
});

describe('compileStep refuses', () => {
  const w = variable([1, 2], { name: 'w' });
  const x = { x: { shape: [2] } };
  const refused = (loss: (x: Tensor) => Tensor): Error => {
    try {
      compileStep({ inputs: x, loss: ({ x }) => loss(x), optimizer: sgd() });
    } catch (error) {
      return error as Error;
    }
    throw new Error('it was not refused');
  };

  for (const [what, loss] of Object.entries({
    data: (x: Tensor) => ops.mul(w, x.data[0]!),
    'data of what depends on an input': (x: Tensor) => ops.mul(w, ops.square(x).data),
    'item()': (x: Tensor) => ops.mul(w, ops.reduceSum(x).item()),
    'toArray()': (x: Tensor) => (ops.square(x).toArray(), ops.square(w)),
    'what depends on a variable': () => ops.mul(w, ops.reduceSum(w).item()),
  })) {
    it(`reading ${what}, and says where`, () => {
      expect(refused(loss).message).to.match(
        /^reading values of something that depends on inputs or variables cannot be part of what is compiled: .*step\.test\./,
      );
    });
  }

  it('reading or writing a variable, which it names', () => {
    expect(refused(() => ops.mul(w, w.data)).message).to.include("the values of variable 'w'");
    expect(refused(() => ops.square(w.assign([1, 1]))).message).to.include("the values of variable 'w'");
    expect([...w.data]).to.deep.equal([1, 2]);
  });

  it('shapes that change between runs', () => {
    const step = compileStep({ inputs: x, loss: ({ x }) => ops.reduceSum(ops.mul(x, w)), optimizer: sgd() });
    expect(() => step.runSync({ x: new Float32Array(3) })).to.throw(RangeError, 'x has 3 elements, shape [2] needs 2');
    expect(() => step.runSync({ x: tensor([[1, 2]]) })).to.throw(RangeError, 'x has shape [1, 2], expected [2]');
    expect(() => step.runSync({ x: new Float64Array(2) as never })).to.throw(
      TypeError,
      'x must be a Tensor or a Float32Array, got a Float64Array',
    );
    expect(() => step.runSync({} as never)).to.throw(TypeError, 'x must be a Tensor or a Float32Array, got undefined');
    expect(() => step.runSync({ x: new Float32Array(2), y: 1 } as never)).to.throw(TypeError, "there is no 'y'");
  });

  it('an index that is out of range, with nothing changed', () => {
    const table = variable([[1], [2]]);
    const step = compileStep({
      inputs: { rows: { shape: [2], dtype: 'int32' } },
      loss: ({ rows }) => ops.reduceSum(ops.gather(table, rows)),
      optimizer: sgd(1),
    });
    expect(() => step.runSync({ rows: [0, 2] })).to.throw(RangeError, 'rows[1] is 2, expected 0 to 2 (exclusive)');
    expect(() => step.runSync({ rows: [-1, 0] })).to.throw(RangeError, 'rows[0] is -1, expected 0 to 2 (exclusive)');
    expect([...table.data]).to.deep.equal([1, 2]);
    step.runSync({ rows: [1, 1] });
    expect([...table.data]).to.deep.equal([1, 0]);
  });

  it('optimizers with steps of their own', () => {
    const optimizer = new SyncReplicasOptimizer(sgd(), { replicasToAggregate: 1 });
    expect(() => compileStep({ ...none, loss: square(w), optimizer })).to.throw(TypeError, 'SyncReplicasOptimizer');
  });

  it('a loss without gradients', () => {
    expect(() => compileStep({ inputs: x, loss: ({ x }) => ops.reduceSum(x), optimizer: sgd() })).to.throw(
      'No gradients provided for any variable',
    );
  });

  it('options that are none', () => {
    const wrong =
      (options: object): (() => unknown) =>
      () =>
        compileStep({ ...none, loss: square(w), optimizer: sgd(), ...options });
    expect(wrong({ clip: { norm: 1, value: 1 } })).to.throw(TypeError, 'clip must be one of');
    expect(wrong({ clip: { norm: 0 } })).to.throw(RangeError, 'clip.norm must be finite and positive, got 0');
    expect(wrong({ accumulate: 1.5 })).to.throw(RangeError, 'accumulate');
    expect(wrong({ inputs: { x: { shape: [3] } }, accumulate: 2 })).to.throw(RangeError, 'a multiple of accumulate');
    expect(wrong({ step: 1 })).to.throw(TypeError, "there is no 'step'");
    expect(wrong({ loss: 1 })).to.throw(TypeError, 'loss must be a function');
  });

  it('to run what has been disposed of', () => {
    const [v, optimizer] = [variable([1]), sgd()];
    const step = compileStep({ ...none, loss: square(v), optimizer });
    v.dispose();
    expect(() => step.runSync({})).to.throw('has been disposed of');
    optimizer.dispose();
    expect(() => step.runSync({})).to.throw('this optimizer has been disposed of');
  });
});
